"""Runs one script as the main program and keeps the exception that ended it.

usage: job_host.py ERROR_FILE SCRIPT [ARGUMENT ...]

The script's process ends with the process that started it: standard input is a pipe that nobody writes to, and its end
means that the other side is gone.
"""

import json
import os
import runpy
import signal
import sys
import threading
import traceback

# Longer messages (a Java stack trace, say) are cut: they are all in the log.
MESSAGE_LIMIT = 2000


def watch_parent() -> None:
    """Kills the own process group when standard input ends. The script itself sees an empty input."""
    pipe = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def message_of(error: BaseException) -> str:
    """The exception as Python prints it in the end: `ValueError: no rows`."""
    return "".join(traceback.format_exception_only(error)).strip()[:MESSAGE_LIMIT]


def write_error(error_file: str, message: str) -> None:
    with open(error_file, "w", encoding="utf-8") as file:
        json.dump({"message": message}, file)


def run_script(error_file: str, script: str, arguments: list[str]) -> None:
    """Runs the script as `__main__` with its own folder first on the path, as `python script.py` does."""
    sys.argv = [script, *arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        if error.code not in (None, 0):
            write_error(error_file, error.code if isinstance(error.code, str) else message_of(error))
        raise
    except BaseException as error:
        write_error(error_file, message_of(error))
        raise


if __name__ == "__main__":
    watch_parent()
    run_script(sys.argv[1], sys.argv[2], sys.argv[3:])
