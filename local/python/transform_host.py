"""Serves a model to batch transform: loads the user's inference module once and answers requests one by one.

usage: transform_host.py ERROR_FILE OPT_ML MODEL_ARCHIVE PROGRAM [SOURCE_ARCHIVE]

A request on standard input is a line of JSON, {"contentType", "accept", "length"}, and as many bytes. An answer on
descriptor 3 is a line of JSON, {"ok": true, "contentType", "length"} or {"ok": false, "error", "length": 0}, and the bytes.
The first answer, without a request, says that the model is loaded. What the module prints is the job's log.

The module has the functions of SageMaker's XGBoost container: model_fn(model_dir), and input_fn(body, content_type),
predict_fn(data, model), output_fn(prediction, accept), or transform_fn(model, body, content_type, accept) in their place.
"""

import importlib.util
import json
import os
import sys
import traceback
from types import ModuleType
from typing import Any, BinaryIO

import job_host
import training_host

# The serving stack hands these to input_fn as text, others as bytes.
TEXT_TYPES = ("text/csv", "application/json", "application/x-npy-json", "text/libsvm", "text/x-libsvm")


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
    names = ["model_fn"] + ([] if hasattr(module, "transform_fn") else ["input_fn", "predict_fn", "output_fn"])
    missing = [name for name in names if not hasattr(module, name)]
    if missing:
        raise AttributeError(f"SAGEMAKER_PROGRAM '{program}' has no {', '.join(missing)}")
    return module


def answer_of(module: ModuleType, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    text_type = content_type.split(";")[0].strip() in TEXT_TYPES
    content: Any = body.decode("utf-8") if text_type else body
    if hasattr(module, "transform_fn"):
        result = module.transform_fn(model, content, content_type, accept)
    else:
        result = module.output_fn(module.predict_fn(module.input_fn(content, content_type), model), accept)
    answer, answered_type = result if isinstance(result, tuple) else (result, accept)
    if isinstance(answer, str):
        return answer.encode("utf-8"), answered_type
    if isinstance(answer, (bytes, bytearray)):
        return bytes(answer), answered_type
    raise TypeError(f"output_fn must return str, bytes or (body, content type), got {type(answer).__name__}")


def send(answers: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    answers.write(json.dumps({**head, "length": len(body)}).encode("utf-8") + b"\n" + body)
    answers.flush()


def main(error_file: str, opt_ml: str, model_archive: str, program: str, source_archive: str | None) -> None:
    # Descriptor 0 becomes empty for the module; requests come over a copy of it.
    requests = os.fdopen(os.dup(0), "rb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    answers = os.fdopen(3, "wb")
    model_folder = os.path.join(opt_ml, "model")
    try:
        training_host.unpack(model_archive, model_folder, "the model archive (ModelDataUrl)")
        code = os.path.join(model_folder, "code")
        if source_archive is not None:
            code = os.path.join(opt_ml, "code")
            training_host.unpack(source_archive, code, "SAGEMAKER_SUBMIT_DIRECTORY")
        module = load(program, code)
        model = module.model_fn(model_folder)
    except BaseException as error:
        job_host.write_error(error_file, job_host.message_of(error))
        raise
    send(answers, {"ok": True, "contentType": ""})
    while line := requests.readline():
        request = json.loads(line)
        body = requests.read(request["length"])
        try:
            result, content_type = answer_of(module, model, body, request["contentType"], request["accept"])
        except Exception as error:
            traceback.print_exc()
            send(answers, {"ok": False, "error": job_host.message_of(error)})
        else:
            send(answers, {"ok": True, "contentType": content_type}, result)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5] if len(sys.argv) > 5 else None)
