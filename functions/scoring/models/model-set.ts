import type { BatchModel, Model } from "../core/model";

/** A model in its position in the chain or among the challengers. */
export interface Member {
  /** Shown as `modelVersion`. */
  readonly name: string;
  readonly model: BatchModel;
  /** The same model if it runs in this process; null for a remote one, and for one that could not be loaded. */
  readonly local: Model | null;
  /** Its explanation costs a multiple of its score, so it is made only where it is shown. */
  readonly costlyToExplain: boolean;
}

export interface Challenger {
  readonly member: Member;
  /** Share of events that it answers, 0 to 100. */
  readonly percent: number;
}

/** The models of one document, ready to score. Immutable: a new document gives a new set, so a batch uses one set throughout. */
export interface ModelSet {
  readonly version: string;
  /** Champion first. */
  readonly chain: readonly Member[];
  readonly challengers: readonly Challenger[];
}

/** Why a model gave no score. `reason` is a short code for decisions; the message is for logs. */
export class ModelUnavailable extends Error {
  readonly code = "model_unavailable";

  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = "ModelUnavailable";
  }
}

export const localMember = (model: Model, costlyToExplain = false): Member => ({
  name: model.version,
  model,
  local: model,
  costlyToExplain,
});

export const remoteMember = (model: BatchModel): Member => ({ name: model.version, model, local: null, costlyToExplain: false });

/** Takes the place of a model that could not be loaded, so that decisions say why the next one answered. */
export function unavailableMember(name: string, reason: string, message: string): Member {
  return remoteMember({ version: name, scoreBatch: () => Promise.reject(new ModelUnavailable(reason, message)) });
}

export const reasonOf = (error: unknown): string => (error instanceof ModelUnavailable ? error.reason : "error");
