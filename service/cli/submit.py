"""The command that submits a job, from options, a file, or both."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from service.cli import terminal
from service.cli.exit_codes import BadInput
from service.cli.options import LOCAL_SERVER, AsJson, Server, Token, connect, print_json
from service.cli.spec import gpus_of, labels, merged, parameters, without_none
from service.cli.spec_file import read_spec_file
from service.cli.watch import show_submitted
from service.cli.weights import checkpoint_of, start_of
from service.client import Client

NETWORK, DATA, WEIGHTS = "What to train", "Its images", "Weights to start from"
QUEUE, KEPT, HOW = "Its place in the queue", "Checkpoints to keep", "How to submit"
_ORIGIN = "Id, tag or @last; JOB@latest or JOB@best; or file:PATH below the import root."


def _option(panel: str, help: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, show_default=False, **more)


Text = str | None
Number = int | None
Texts = list[str] | None
File = Annotated[Text, typer.Argument(metavar="FILE", hidden=True)]
FileOption = Annotated[
    Text,
    _option(HOW, "A job in JSON or YAML, - for stdin; options go before it.", "-f", "--file"),
]
Kind = Annotated[
    Literal["train", "eval", "check_data", "search"] | None,
    _option(NETWORK, "By default train; with --eval, eval.", "--kind"),
]
Recipe = Annotated[Text, _option(NETWORK, "A family of networks; `trainyard recipes` lists them.")]
Variant = Annotated[Text, _option(NETWORK, "Which network of the family, such as 1.0x.")]
Param = Annotated[
    Texts,
    _option(NETWORK, "A parameter as KEY=VALUE; may be repeated.", "--param", "-p"),
]
Dataset = Annotated[Text, _option(DATA, "A named data set, such as digits.")]
TrainDir = Annotated[Text, _option(DATA, "Folder to train on, below the worker's data root.")]
ValDir = Annotated[Text, _option(DATA, "Folder to validate on, below the worker's data root.")]
Packed = Annotated[Text, _option(DATA, "A file of trainyard data pack, below the data root.")]
Exif = Annotated[
    Literal["ignore", "apply"] | None,
    _option(DATA, "Turn images as their EXIF says, or not."),
]
BatchSize = Annotated[Number, _option(DATA, "For check_data: the images must fill a batch.")]
InitFrom = Annotated[Text, _option(WEIGHTS, f"Train on from a checkpoint. {_ORIGIN}")]
State = Annotated[
    Literal["weights", "full"] | None,
    _option(WEIGHTS, "Take the weights alone, or the optimizer and the schedule, too."),
]
Head = Annotated[
    Literal["keep", "replace"] | None,
    _option(WEIGHTS, "Keep the classifier, or begin with a new one for other classes."),
]
Eval = Annotated[Text, _option(WEIGHTS, f"Evaluate a checkpoint. {_ORIGIN}", "--eval")]
Name = Annotated[Text, _option(QUEUE, "Lists show it, and it stands for the id.", "--name", "-n")]
Label = Annotated[Texts, _option(QUEUE, "A label as KEY=VALUE; may be repeated.", "--label", "-l")]
Priority = Annotated[Number, _option(QUEUE, "From -1000 to 1000; higher ones go first.")]
Preemptible = Annotated[
    bool | None,
    _option(QUEUE, "It saves and goes back to the queue for a job of a higher priority."),
]
Gpus = Annotated[
    Text,
    _option(
        QUEUE,
        "GPUs that it trains on, on each of its hosts; MIN:MAX takes what is free.",
        metavar="N|MIN:MAX",
    ),
]
Hosts = Annotated[Number, _option(QUEUE, "Hosts of one worker that it trains on; 1 by default.")]
Ranks = Annotated[
    Number, _option(QUEUE, "Processes on the CPU of each host, where it needs no GPUs.")
]
WorkerLabel = Annotated[
    Texts, _option(QUEUE, "Only workers with this label, as KEY=VALUE; may be repeated.")
]
MaxFailures = Annotated[Number, _option(QUEUE, "How often it is tried again after it has failed.")]
KeepLast = Annotated[Number, _option(KEPT, "So many of the newest.")]
KeepBest = Annotated[Number, _option(KEPT, "So many of the best, too.")]
KeepMetric = Annotated[
    Literal["top1_error", "top5_error", "loss"] | None, _option(KEPT, "What the best are best at.")
]
Key = Annotated[
    Text,
    _option(HOW, "The same key makes no second job.", "--idempotency-key", "--key"),
]
DryRun = Annotated[bool, _option(HOW, "Only check it, and tell what is known of it.", "--dry-run")]
Watch = Annotated[bool, _option(HOW, "Show its progress until it ends.", "--watch", "-w")]


def submit(
    file: File = None,
    recipe: Recipe = None,
    variant: Variant = None,
    param: Param = None,
    kind: Kind = None,
    dataset: Dataset = None,
    train_dir: TrainDir = None,
    val_dir: ValDir = None,
    packed: Packed = None,
    exif_orientation: Exif = None,
    batch_size: BatchSize = None,
    init_from: InitFrom = None,
    init_state: State = None,
    init_head: Head = None,
    evaluated: Eval = None,
    name: Name = None,
    label: Label = None,
    priority: Priority = None,
    preemptible: Preemptible = None,
    gpus: Gpus = None,
    hosts: Hosts = None,
    ranks: Ranks = None,
    worker_label: WorkerLabel = None,
    max_failures: MaxFailures = None,
    keep_last: KeepLast = None,
    keep_best: KeepBest = None,
    keep_metric: KeepMetric = None,
    file_option: FileOption = None,
    watch: Watch = False,
    dry_run: DryRun = False,
    key: Key = None,
    as_json: AsJson = False,
    server: Server = LOCAL_SERVER,
    token: Token = None,
) -> None:
    """Queue a job, and print its id.

    trainyard submit --recipe oneshot --dataset digits -p total_iters=500 --watch

    trainyard submit --recipe shufflenet_v2 --variant 1.0x --packed photos.pack --gpus 4

    trainyard submit --eval @last --dataset digits

    trainyard submit -f job.yaml --param learning_rate=0.1 --dry-run
    """
    if file is not None and file_option is not None:
        raise BadInput("name one file, as -f FILE")
    resources = without_none(
        gpus=gpus_of(gpus),
        hosts=hosts,
        ranks=ranks,
        labels=labels("--worker-label", worker_label or []) or None,
    )
    retention = without_none(keep_last=keep_last, keep_best=keep_best, metric=keep_metric)
    data = without_none(
        dataset=dataset,
        train_dir=train_dir,
        val_dir=val_dir,
        packed=packed,
        exif_orientation=exif_orientation,
    )
    options = {
        "kind": kind or (None if evaluated is None else "eval"),
        **{"recipe": recipe, "variant": variant, "params": parameters(param or [])},
        **{"data": data, "batch_size": batch_size, "name": name},
        **{"labels": labels("--label", label or []), "priority": priority},
        "preemptible": preemptible,
        **{"resources": resources, "max_failures": max_failures, "retention": retention},
    }
    source = file_option if file_option is not None else file
    of_file = read_spec_file(source, '{"kind": "train", …}')
    if source is None and not any(value not in (None, {}) for value in options.values()):
        raise BadInput("give a JSON or YAML file as -f FILE, or at least --recipe and --dataset")
    with connect(server, token) as client:
        changes = without_none(state=init_state, head=init_head)
        options["init_from"] = start_of(client, init_from, changes, of_file.get("init_from"))
        options["checkpoint"] = checkpoint_of(client, evaluated) if evaluated else None
        spec = merged(of_file, options)
        if dry_run:
            explain(client, spec, as_json=as_json)
            return
        job = client.submit(spec, key=key)
        show_submitted(client, job, watch=watch, as_json=as_json)


def explain(client: Client, spec: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what is known of a submission that can run; raises TrainyardError for another."""
    explanation = client.explain(spec)
    if as_json:
        print_json(explanation)
        return
    for hint in explanation.hints:
        terminal.echo(f"{hint.level} {hint.pointer}: {hint.detail}")
    terminal.echo("It can run; nothing was submitted.")
