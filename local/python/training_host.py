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


def read(path: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def environment(opt_ml: str, parameters: dict[str, Any], program: str) -> dict[str, str]:
    """The SM_* variables."""
    folders = {
        "SM_INPUT_DIR": "input",
        "SM_INPUT_CONFIG_DIR": "input/config",
        "SM_OUTPUT_DIR": "output",
        "SM_OUTPUT_DATA_DIR": "output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": "output/intermediate",
        "SM_MODEL_DIR": "model",
        "SM_MODULE_DIR": "code",
        "SM_CHECKPOINT_DIR": "checkpoints",
    }
    resources = read(os.path.join(opt_ml, "input/config/resourceconfig.json"))
    channels = read(os.path.join(opt_ml, "input/config/inputdataconfig.json"))
    module = os.path.splitext(program)[0]
    variables = {name: os.path.join(opt_ml, folder) for name, folder in folders.items()}
    channel_folders = {name: os.path.join(opt_ml, "input/data", name) for name in sorted(channels)}
    variables |= {f"SM_CHANNEL_{name.upper()}": folder for name, folder in channel_folders.items()}
    variables |= {
        f"SM_HP_{name.upper()}": json.dumps(value) if isinstance(value, (dict, list)) else str(value)
        for name, value in parameters.items()
    }
    arguments = command_line(parameters)
    variables |= {
        "SM_HPS": json.dumps(parameters),
        "SM_USER_ARGS": json.dumps(arguments),
        "SM_USER_ENTRY_POINT": program,
        "SM_MODULE_NAME": module,
        "SM_CHANNELS": json.dumps(sorted(channels)),
        "SM_INPUT_DATA_CONFIG": json.dumps(channels),
        "SM_RESOURCE_CONFIG": json.dumps(resources),
        "SM_CURRENT_HOST": resources["current_host"],
        "SM_CURRENT_INSTANCE_TYPE": resources["current_instance_type"],
        "SM_HOSTS": json.dumps(resources["hosts"]),
        "SM_NETWORK_INTERFACE_NAME": resources["network_interface_name"],
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        "SM_LOG_LEVEL": "20",
        "SM_FRAMEWORK_PARAMS": "{}",
    }
    variables["SM_TRAINING_ENV"] = json.dumps(
        {
            "channel_input_dirs": channel_folders,
            "current_host": resources["current_host"],
            "hosts": resources["hosts"],
            "hyperparameters": parameters,
            "input_config_dir": variables["SM_INPUT_CONFIG_DIR"],
            "input_data_config": channels,
            "input_dir": variables["SM_INPUT_DIR"],
            "job_name": os.environ["TRAINING_JOB_NAME"],
            "model_dir": variables["SM_MODEL_DIR"],
            "module_dir": variables["SM_MODULE_DIR"],
            "module_name": module,
            "num_cpus": os.cpu_count() or 1,
            "num_gpus": 0,
            "output_data_dir": variables["SM_OUTPUT_DATA_DIR"],
            "output_dir": variables["SM_OUTPUT_DIR"],
            "resource_config": resources,
            "user_entry_point": program,
        }
    )
    return variables


def main(error_file: str, opt_ml: str) -> None:
    code = os.path.join(opt_ml, "code")
    try:
        decoded = {name: decode(text) for name, text in read(os.path.join(opt_ml, "input/config/hyperparameters.json")).items()}
        # The toolkit keeps its own settings to itself; the script gets the rest.
        program = str(decoded["sagemaker_program"])
        parameters = {name: value for name, value in decoded.items() if not name.startswith("sagemaker_")}
        unpack(os.environ.pop("SOURCE_ARCHIVE"), code, "sagemaker_submit_directory")
        script = os.path.join(code, program)
        if not os.path.isfile(script):
            raise FileNotFoundError(f"sagemaker_program '{program}' is not in sagemaker_submit_directory")
        os.environ.update(environment(opt_ml, parameters, program))
    except Exception as error:
        job_host.write_error(error_file, job_host.message_of(error))
        raise
    os.chdir(code)
    job_host.run_script(error_file, script, command_line(parameters))


if __name__ == "__main__":
    job_host.watch_parent()
    main(sys.argv[1], sys.argv[2])
