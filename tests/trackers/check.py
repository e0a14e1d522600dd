"""Opens what strata writes for other programs with those programs.

    pip install optuna optuna-dashboard tensorboard mlflow pandas pyarrow
    python tests/trackers/check.py target/release/strata [RUN]

Searches digits a little, with every tracker told meanwhile, or takes the run folder that is named; exports it again; and
holds what Optuna, optuna-dashboard, TensorBoard, a local MLflow server, pandas and pyarrow read against
`strata trials --json`. The golden files beside this script are opened too.
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

STRATA = Path(sys.argv[1]).resolve()
GOLDEN = Path(__file__).resolve().parent / "golden"
BIN = Path(sys.executable).parent
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
SPACE = """space small
input image(channels: 1, height: 8, width: 8)
output classes(10)
network { flatten; linear(8 | 16 | 32); relu | tanh; linear(classes) }
recipe { learning_rate: 0.01 | 0.1 }
"""
EXPERIMENT = """name = "small"
space = "small.space"
seed = 3
data.name = "digits"
budget.trials = 8
recipe.epochs = 3
final.retrain_seeds = 2
"""


def strata(*arguments, **options):
    done = subprocess.run([str(STRATA), *map(str, arguments)], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def ask(address, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@contextmanager
def server(name, arguments, port, path):
    """A server of this machine, which answers at `path` before anything is asked."""
    process = subprocess.Popen([str(BIN / name), *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, f"{name} ended"
            try:
                urllib.request.urlopen(address + path, timeout=10).read()
                break
            except OSError:
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def finished(trials):
    return {row["trial"]: row for row in trials if row["score"] is not None}


def check_optuna(path, trials):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(JournalFileBackend(str(path)))
    [study] = optuna.study.get_all_study_summaries(storage)
    study = optuna.load_study(study_name=study.study_name, storage=storage)
    assert len(study.trials) == len(trials)
    scores = {trial.number: trial.value for trial in study.trials if trial.value is not None}
    assert scores == {number: row["score"] for number, row in finished(trials).items()}
    for trial, row in zip(study.trials, trials):
        assert trial.state.is_finished() or not row["done"], trial
        assert trial.params and trial.user_attrs["params"] == row["params"]
        assert trial.duration is None or trial.duration.total_seconds() >= 0
    port = free_port()
    with server("optuna-dashboard", [path, "--port", port, "--host", "127.0.0.1"], port, "/api/studies") as address:
        [shown] = ask(f"{address}/api/studies")["study_summaries"]
        detail = ask(f"{address}/api/studies/{shown['study_id']}")
        assert len(detail["trials"]) == len(trials)
        assert len(detail["union_search_space"]) >= 1
        best = max(scores.values())
        shown = [trial["values"][0] for trial in detail["best_trials"]]
        assert [float(value) for value in shown] == [best], shown
    print(f"optuna: {len(study.trials)} trials, best {study.best_value:.4f}; optuna-dashboard shows them")


def check_tensorboard(folder, trials):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def scalars(part):
        accumulator = EventAccumulator(str(folder / part)).Reload()
        return {tag: [(event.step, event.value) for event in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}

    search = scalars("search")
    scored = finished(trials)
    assert [step for step, _ in search["search/score"]] == sorted(scored)
    for number, row in scored.items():
        found = scalars(f"trial-{number:04}")
        assert abs(found["trial/score"][0][1] - row["score"]) < 1e-6
        if not row.get("continues"):
            assert len(found["train/loss"]) == len(row["epochs"])
    port = free_port()
    arguments = ["--logdir", folder, "--port", port, "--host", "127.0.0.1", "--reload_interval", 1]
    with server("tensorboard", arguments, port, "/data/plugins_listing") as address:
        for _ in range(60):
            tags = ask(f"{address}/data/plugin/scalars/tags")
            if len(tags) == len(scored) + sum(row["failure"] is not None for row in trials) + 1:
                break
            time.sleep(0.5)
        begun = {"experimentName": "", "startIndex": 0, "sliceSize": 100_000, "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"], "colParams": []}
        groups = ask(f"{address}/data/plugin/hparams/session_groups", begun)["sessionGroups"]
        assert len(groups) == sum(row["done"] for row in trials), len(groups)
        assert all(group["hparams"] for group in groups)
        named = {metric["name"]["tag"] for metric in ask(f"{address}/data/plugin/hparams/experiment", {"experimentName": ""})["metricInfos"]}
        assert "trial/score" in named, named
    print(f"tensorboard: {len(tags)} runs with scalars, {len(groups)} session groups of hyperparameters")


def check_mlflow(address, experiment, trials, count=1):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=address)
    [found] = [found for found in client.search_experiments() if found.name == experiment]
    runs = client.search_runs([found.experiment_id], max_results=50_000)
    children = [run for run in runs if "strata.trial" in run.data.tags]
    parents = [run for run in runs if "strata.trial" not in run.data.tags]
    assert len(parents) == count and len(children) == count * sum(row["done"] for row in trials)
    scores = {int(run.data.tags["strata.trial"]): run.data.metrics["score"] for run in children if run.info.status == "FINISHED"}
    assert scores == {number: row["score"] for number, row in finished(trials).items()}
    assert all(run.data.params for run in children)
    assert all(run.data.tags["mlflow.parentRunId"] in {parent.info.run_id for parent in parents} for run in children)
    curve = client.get_metric_history(children[0].info.run_id, "train/loss")
    best = client.get_metric_history(parents[0].info.run_id, "best")
    assert len(best) == len(scores), (len(best), len(scores))
    print(f"mlflow: {len(children)} runs under {len(parents)}, {len(curve)} epochs of the last, status {parents[0].info.status}")


def check_tables(csv, parquet, trials):
    import pandas
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(parquet)
    frame, text = table.to_pandas(), pandas.read_csv(csv)
    assert list(frame.columns) == list(text.columns) and len(frame) == len(trials)
    assert [None if pandas.isna(score) else score for score in frame["score"]] == [row["score"] for row in trials]
    assert list(frame["params"]) == [row["params"] for row in trials]
    assert any(name.startswith("decision.") for name in frame.columns)
    for name in frame.columns:
        if pandas.api.types.is_numeric_dtype(text[name]):
            pandas.testing.assert_series_equal(frame[name].astype(float), text[name].astype(float), rtol=0, atol=0)
    print(f"pandas and pyarrow: {table.num_rows} rows, {table.num_columns} columns")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        port = free_port()
        store = ["--backend-store-uri", f"sqlite:///{scratch}/mlflow.db", "--default-artifact-root", scratch / "artifacts"]
        with server("mlflow", ["server", *store, "--host", "127.0.0.1", "--port", port, "--workers", 1], port, "/health") as address:
            if len(sys.argv) > 2:
                run = Path(sys.argv[2]).resolve()
            else:
                (scratch / "small.space").write_text(SPACE)
                (scratch / "small.toml").write_text(EXPERIMENT)
                every = ["--track", "tensorboard", "--track", "optuna", "--track", f"mlflow={address}"]
                strata("search", "small.toml", *every, cwd=scratch)
                strata("search", "small.toml", cwd=scratch)
                run = scratch / "runs" / "small-1"
                digests = [json.loads(strata("status", scratch / "runs" / name, "--json"))["digest"] for name in ("small-1", "small-2")]
                assert digests[0] == digests[1], "tracking has changed the run"
                print("a tracked run has the digest of one that is not:", digests[0][:16])
            trials = [json.loads(line) for line in strata("trials", run, "--json").splitlines()]
            experiment = json.loads(strata("status", run, "--json"))["name"]
            if len(sys.argv) <= 2:
                check_optuna(run / "optuna.log", trials)
                check_tensorboard(run / "tensorboard", trials)
                check_mlflow(address, experiment, trials)
            for name in ("optuna", "tensorboard", "csv", "parquet"):
                strata("export", run, "--to", name, "-o", scratch / f"trials.{name}")
            strata("export", run, "--to", "mlflow", "-o", address)
            check_optuna(scratch / "trials.optuna", trials)
            check_tensorboard(scratch / "trials.tensorboard", trials)
            check_mlflow(address, experiment, trials)
            check_tables(scratch / "trials.csv", scratch / "trials.parquet", trials)
        check_golden(scratch)


def check_golden(scratch):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = scratch / "golden.log"
    log.write_bytes((GOLDEN / "optuna.log").read_bytes())
    [study] = optuna.study.get_all_study_summaries(JournalStorage(JournalFileBackend(str(log))))
    assert (study.n_trials, study.best_trial.state.name) == (8, "COMPLETE")
    for path in GOLDEN.glob("*.tfevents"):
        accumulator = EventAccumulator(str(path)).Reload()
        assert accumulator.Tags()["scalars"], path
        assert path.stem == "search" or "_hparams_/session_start_info" in accumulator.Tags()["tensors"] or accumulator.summary_metadata, path
    print("the golden files open")


if __name__ == "__main__":
    main()
