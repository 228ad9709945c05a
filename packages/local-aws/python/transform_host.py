"""Serves a model to batch transform: loads the user's inference module once and answers requests one by one.

usage: transform_host.py ERROR_FILE OPT_ML MODEL_ARCHIVE PROGRAM

A request on standard input is a line of JSON, {"body"}, whose body is CSV. An answer on descriptor 3 is a line of JSON, {"body"} or
{"error"}. The first answer, without a request, says that the model is loaded. What the module prints is the job's log.

The module lies in code/ of the model archive and has the functions of SageMaker's XGBoost container: model_fn(model_dir),
input_fn(body, content_type), predict_fn(data, model) and output_fn(prediction, accept).
"""

import importlib.util
import json
import os
import sys
import traceback
from types import ModuleType
from typing import Any

import job_host
import training_host

CSV = "text/csv"


def load(program: str, folder: str) -> ModuleType:
    script = os.path.join(folder, program)
    if not os.path.isfile(script):
        raise FileNotFoundError(f"SAGEMAKER_PROGRAM '{program}' is not in SAGEMAKER_SUBMIT_DIRECTORY")
    sys.path[0] = folder
    spec = importlib.util.spec_from_file_location("inference_module", script)
    if spec is None or spec.loader is None:
        raise ImportError(f"SAGEMAKER_PROGRAM '{program}' is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["inference_module"] = module
    spec.loader.exec_module(module)
    missing = [name for name in ("model_fn", "input_fn", "predict_fn", "output_fn") if not hasattr(module, name)]
    if missing:
        raise AttributeError(f"SAGEMAKER_PROGRAM '{program}' has no {', '.join(missing)}")
    return module


def answer_of(module: ModuleType, model: Any, body: str) -> str:
    # The serving stack hands CSV to input_fn as text.
    result = module.output_fn(module.predict_fn(module.input_fn(body, CSV), model), CSV)
    answer = result[0] if isinstance(result, tuple) else result
    if isinstance(answer, (bytes, bytearray)):
        return answer.decode("utf-8")
    if isinstance(answer, str):
        return answer
    raise TypeError(f"output_fn must return str, bytes or (body, content type), got {type(answer).__name__}")


def main(error_file: str, opt_ml: str, model_archive: str, program: str) -> None:
    # Descriptor 0 becomes empty for the module; requests come over a copy of it.
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    answers = os.fdopen(3, "w", encoding="utf-8")
    model_folder = os.path.join(opt_ml, "model")
    try:
        training_host.unpack(model_archive, model_folder, "the model archive (ModelDataUrl)")
        module = load(program, os.path.join(model_folder, "code"))
        model = module.model_fn(model_folder)
    except BaseException as error:
        job_host.write_error(error_file, job_host.message_of(error))
        raise
    print(json.dumps({"body": ""}), file=answers, flush=True)
    for line in requests:
        try:
            answer = {"body": answer_of(module, model, json.loads(line)["body"])}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": job_host.message_of(error)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])
