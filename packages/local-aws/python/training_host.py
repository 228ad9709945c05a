"""Runs a training script as SageMaker's training toolkit does in script mode.

usage: training_host.py ERROR_FILE OPT_ML

OPT_ML stands for /opt/ml. The variables and the command line are those of
https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md
"""

import json
import os
import sys
import tarfile
from typing import Any

import job_host


def decode(value: Any) -> Any:
    """Hyperparameters are text that holds JSON where it can be read as JSON."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def command_line(parameters: dict[str, Any]) -> list[str]:
    """`{"max_depth": 6}` → `["--max_depth", "6"]`, sorted by name."""
    arguments: list[str] = []
    for name in sorted(parameters):
        value = parameters[name]
        text = ",".join(f"{key}={item}" for key, item in sorted(value.items())) if isinstance(value, dict) else str(value)
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", text]
    return arguments


def unpack(archive: str, folder: str, what: str) -> None:
    """Extracts a tar.gz; members that would leave the folder are refused."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise RuntimeError(f"{what} is not a readable tar.gz archive: {error}") from error


def environment(opt_ml: str) -> dict[str, str]:
    """The SM_* variables that our scripts read."""
    folders = {
        "SM_OUTPUT_DIR": "output",
        "SM_OUTPUT_DATA_DIR": "output/data",
        "SM_MODEL_DIR": "model",
        "SM_CHECKPOINT_DIR": "checkpoints",
    }
    channels = os.path.join(opt_ml, "input/data")
    return {
        **{name: os.path.join(opt_ml, folder) for name, folder in folders.items()},
        **{f"SM_CHANNEL_{name.upper()}": os.path.join(channels, name) for name in os.listdir(channels)},
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
    }


def main(error_file: str, opt_ml: str) -> None:
    code = os.path.join(opt_ml, "code")
    try:
        with open(os.path.join(opt_ml, "input/config/hyperparameters.json"), encoding="utf-8") as file:
            decoded = {name: decode(text) for name, text in json.load(file).items()}
        # The toolkit keeps its own settings to itself; the script gets the rest.
        program = str(decoded["sagemaker_program"])
        parameters = {name: value for name, value in decoded.items() if not name.startswith("sagemaker_")}
        unpack(os.environ.pop("SOURCE_ARCHIVE"), code, "sagemaker_submit_directory")
        script = os.path.join(code, program)
        if not os.path.isfile(script):
            raise FileNotFoundError(f"sagemaker_program '{program}' is not in sagemaker_submit_directory")
        os.environ.update(environment(opt_ml))
    except Exception as error:
        job_host.write_error(error_file, job_host.message_of(error))
        raise
    os.chdir(code)
    job_host.run_script(error_file, script, command_line(parameters))


if __name__ == "__main__":
    job_host.watch_parent()
    main(sys.argv[1], sys.argv[2])
