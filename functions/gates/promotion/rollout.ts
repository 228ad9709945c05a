/**
 * The models parameter during a promotion. Every step reads it afresh, writes only when something changes, and never overwrites a
 * champion that somebody else has chosen in the meantime, so that a second approval, a retry or a concurrent execution does no harm.
 */
import { problemText } from "../../scoring/core/problems";
import { challenged, promoted, withdrawn } from "../../scoring/models/changes";
import { type ModelsDocument, parseModels, refName, type TreesRef } from "../../scoring/models/document";
import { PipelineError, type PipelineErrorName } from "../common/errors";
import type { Conversion } from "../common/events";
import { type CurrentModels, championName, currentModels, type ModelsAccess, profileOf } from "../common/models-parameter";

export interface Situation {
  readonly current: CurrentModels;
  readonly isChampion: boolean;
  /** Percentage that it answers as a challenger; undefined when it isn't one. */
  readonly percent: number | undefined;
}

export interface Rollout {
  /** Throws `PromotionSuperseded` when another champion has been chosen since the promotion began; the challenger is withdrawn first. */
  situation(): Promise<Situation>;
  /** @returns the version written. Throws `CanaryFailed` when the document would be invalid, `PromotionSuperseded` when somebody else wrote first */
  challenge(current: CurrentModels, percent: number): Promise<number>;
  /** @returns the version written. Throws `PromotionSuperseded` when somebody else wrote first */
  promote(current: CurrentModels): Promise<number>;
  /** Withdraws the challenger, if it is there, and then throws `error`. */
  abandon(current: CurrentModels, error: { readonly name: PipelineErrorName; readonly message: string }): Promise<never>;
}

export function createRollout(access: ModelsAccess, dataset: string, modelName: string, conversion: Conversion): Rollout {
  const { profile, key, sha256, champion: before } = conversion;
  const ref: TreesRef = { kind: "trees", name: modelName, key, sha256 };

  async function write(current: CurrentModels, next: ModelsDocument): Promise<number> {
    const text = JSON.stringify(next);
    const parsed = parseModels(text, profileOf(profile), access.validateModels);
    if (!parsed.ok) {
      throw new PipelineError(
        "CanaryFailed",
        `The models of "${profile}" would be invalid with "${modelName}": ${problemText(parsed.problems)} Withdraw challengers (npm run model -- withdraw NAME --profile ${profile}), then approve again.`,
      );
    }
    const version = await access.parameters.write(current.parameter, text);
    if (version !== current.version + 1) await settle(current.parameter, text, version);
    return version;
  }

  /** SSM has no conditional write. A document written in between is put back, unless it is the same: then a twin of this execution was faster. */
  async function settle(parameter: string, text: string, version: number): Promise<void> {
    const overwritten = await access.parameters.read(parameter, version - 1);
    if (overwritten?.text === text) return;
    if (overwritten !== undefined) await access.parameters.write(parameter, overwritten.text);
    throw new PipelineError(
      "PromotionSuperseded",
      `Somebody else changed ${parameter} (version ${version - 1}) while "${modelName}" was being promoted; ${overwritten === undefined ? "look at it" : "their version was put back"}. ` +
        `See npm run model -- list --profile ${profile}, then approve again if "${modelName}" is still wanted.`,
    );
  }

  const rollout: Rollout = {
    async situation() {
      const current = await currentModels(access, dataset, profile);
      const champion = championName(current);
      const isChampion = champion === modelName;
      if (!isChampion && champion !== before) {
        return rollout.abandon(current, {
          name: "PromotionSuperseded",
          message:
            `"${champion}" became the champion of profile "${profile}" after the promotion of "${modelName}" had begun (when it was "${before}"); it stays. ` +
            `If "${modelName}" is still wanted, approve it again.`,
        });
      }
      const challenger = current.document.challengers?.find(({ model }) => refName(model) === modelName);
      return { current, isChampion, percent: challenger && (challenger.percent ?? 0) };
    },
    challenge: (current, percent) => write(current, challenged(current.document, ref, percent)),
    promote: (current) => write(current, promoted(current.document, ref)),
    async abandon(current, { name, message }) {
      const without = withdrawn(current.document, modelName);
      if (without === undefined) throw new PipelineError(name, message);
      await write(current, without);
      throw new PipelineError(name, `${message} It was withdrawn as a challenger.`);
    },
  };
  return rollout;
}
