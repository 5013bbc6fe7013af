// Slides and results stay where they are: slides are large, and results that are there are passed over. What a task does is
// the script that Slurm's arrays run.
process NUCDET_SHARD {
    tag "${shard}/${params.shards}"

    input:
    val shard
    val list
    val changed  // the list's time: of the task's identity
    val out
    path array

    output:
    val shard

    script:
    """
    export NUCDET='${params.nucdet}' NUCDET_REQUEUE=no
    code=0
    bash '${array}' '${list}' '${out}' --shard ${shard}/${params.shards} --threads ${task.cpus} ${params.options} || code=\$?
    [ \$code = 0 ] || [ \$code = 3 ] || exit \$code
    """
}

process NUCDET_MERGE {
    input:
    val shards
    val list
    val out

    output:
    stdout

    script:
    """
    code=0
    ${params.nucdet} merge '${out}/run' --list '${list}' --out '${out}' || code=\$?
    [ \$code = 0 ] || [ \$code = 3 ] || exit \$code
    ${params.nucdet} report '${out}/run' --out '${out}/report.html'
    """
}
