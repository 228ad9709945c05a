"""Boosting round by round, with early stopping, and with checkpoints from which an interrupted spot instance continues."""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

import numpy as np
import numpy.typing as npt
import xgboost as xgb

# Rounds between two checkpoints: a few seconds of work for the reference model.
CHECKPOINT_ROUNDS = 50
STATE = "checkpoint.json"


@dataclass(frozen=True)
class Part:
    """Rows of a split, encoded."""

    rows: npt.NDArray[np.float32]
    labels: npt.NDArray[np.float64]

    def matrix(self, names: list[str]) -> xgb.DMatrix:
        return xgb.DMatrix(self.rows, label=self.labels, feature_names=names)


@dataclass
class Progress:
    rounds: int = 0
    best_round: int = 0
    best_value: float = math.inf


def boost(
    parameters: Mapping[str, Any], rounds: int, patience: int, names: list[str], train: Part, validation: Part | None, folder: Path
) -> tuple[xgb.Booster, int]:
    """Trains `rounds` trees, or until the validation metric has not improved for `patience` rounds (0: never stops early).

    folder: holds checkpoints; one for the same data and parameters is continued, and gives the same model as without an interruption.
    Returns the model without the rounds after the best one, and the number of the best round, counted from 0."""
    signature = _signature({**parameters, "rounds": rounds, "patience": patience}, names, train, validation)
    train_matrix = train.matrix(names)
    watched = [] if validation is None else [(validation.matrix(names), "validation")]
    cache = [train_matrix, *(matrix for matrix, _ in watched)]
    booster, progress = _resumed(parameters, cache, folder, signature)
    while progress.rounds < rounds and not (patience and watched and progress.rounds - progress.best_round > patience):
        booster.update(train_matrix, progress.rounds)
        if watched:
            message = booster.eval_set(watched, progress.rounds)
            value = float(message.rsplit(":", 1)[1])
            if value < progress.best_value:
                progress.best_round, progress.best_value = progress.rounds, value
            if progress.rounds % CHECKPOINT_ROUNDS == 0:
                print(message, flush=True)
        progress.rounds += 1
        if progress.rounds % CHECKPOINT_ROUNDS == 0:
            model = _save(booster, progress, folder, signature)
            booster = _opened(parameters, cache, progress.rounds, model)
    best = progress.best_round if watched and patience else progress.rounds - 1
    return booster[: best + 1], best


def _opened(parameters: Mapping[str, Any], cache: list[xgb.DMatrix], rounds: int, model: Path | None) -> xgb.Booster:
    """A booster whose random state depends only on the seed and the number of rounds. XGBoost doesn't save that state, so training continues
    from its own checkpoints even when nothing interrupts it: only then is a resumed model the same."""
    settings = {**parameters, "seed": parameters["seed"] + rounds}
    return xgb.Booster(settings, cache=cache, model_file=None if model is None else str(model))


def _resumed(
    parameters: Mapping[str, Any], cache: list[xgb.DMatrix], folder: Path, signature: str
) -> tuple[xgb.Booster, Progress]:
    state = folder / STATE
    if state.exists():
        saved = json.loads(state.read_text())
        model = folder / saved["model"]
        if saved["signature"] == signature and model.exists():
            print(f"continuing after {saved['rounds']} rounds from the checkpoint {model.name}", flush=True)
            return _opened(parameters, cache, saved["rounds"], model), Progress(saved["rounds"], saved["bestRound"], _measured(saved["bestValue"]))
        print("the checkpoint belongs to other data or parameters; starting from scratch", flush=True)
    return _opened(parameters, cache, 0, None), Progress()


def _save(booster: xgb.Booster, progress: Progress, folder: Path, signature: str) -> Path:
    """SageMaker copies the folder at any time, so a file gets its final name when it is complete, and the state comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"checkpoint-{progress.rounds}.ubj"
    partial = folder / "partial.ubj"
    booster.save_model(partial)
    os.replace(partial, model)
    state = {
        "signature": signature,
        "model": model.name,
        "rounds": progress.rounds,
        "bestRound": progress.best_round,
        # JSON has no infinity: without validation rows nothing was measured.
        "bestValue": progress.best_value if math.isfinite(progress.best_value) else None,
    }
    (folder / "partial.json").write_text(json.dumps(state))
    os.replace(folder / "partial.json", folder / STATE)
    for old in folder.glob("checkpoint-*.ubj"):
        if old != model:
            old.unlink()
    return model


def _measured(value: float | None) -> float:
    return math.inf if value is None else value


def _signature(settings: Mapping[str, Any], names: list[str], train: Part, validation: Part | None) -> str:
    digest = hashlib.sha256(json.dumps([settings, names, xgb.__version__], sort_keys=True).encode())
    for part in (train, validation):
        if part is not None:
            digest.update(np.ascontiguousarray(part.rows).tobytes())
            digest.update(np.ascontiguousarray(part.labels).tobytes())
    return digest.hexdigest()
