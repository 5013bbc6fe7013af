// A cohort with Nextflow: a shard a task, then the summary and the page.
// usage: nextflow run deploy/nextflow --list slides.lst --out found --shards 16 [--options='--density'] [-profile slurm]
// Options of nucdet detect are given by `=`: Nextflow takes a word that begins with a dash for an option of its own.
nextflow.enable.dsl = 2

include { NUCDET_SHARD; NUCDET_MERGE } from './modules/nucdet'

workflow {
    if (!params.list) error "--list: a list of slides, a manifest or a folder"
    if (params.options == true) error "--options: found no value, wanted it after `=`: --options='--density'"
    if (workflow.containerEngine == 'docker' && !params.bind)
        error "--bind: wanted the folder that holds slides, list and results: a container of Docker sees no other"
    def given = file(params.list, checkIfExists: true)
    def list = given.toAbsolutePath().toString()
    def out = file(params.out).toAbsolutePath().toString()
    // With -resume tasks of a list that was changed are run again.
    def array = file("${projectDir.parent}/slurm/array.sh", checkIfExists: true)
    NUCDET_SHARD(Channel.of(1..(params.shards as int)), list, given.lastModified(), out, array)
    NUCDET_MERGE(NUCDET_SHARD.out.collect(), list, out)
}
