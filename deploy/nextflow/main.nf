// A cohort with Nextflow: a shard a task, then the summary and the page.
// usage: nextflow run deploy/nextflow --list slides.lst --out found --shards 16 [--options '--density'] [-profile slurm]
nextflow.enable.dsl = 2

include { NUCDET_SHARD; NUCDET_MERGE } from './modules/nucdet'

workflow {
    if (!params.list) error "--list: a list of slides, a manifest or a folder"
    def given = file(params.list, checkIfExists: true)
    def list = given.toAbsolutePath().toString()
    def out = file(params.out).toAbsolutePath().toString()
    // With -resume tasks of a list that was changed are run again.
    NUCDET_SHARD(Channel.of(1..(params.shards as int)), list, given.lastModified(), out, file("${projectDir}/../slurm/array.sh", checkIfExists: true))
    NUCDET_MERGE(NUCDET_SHARD.out.collect(), list, out)
}
