/** Checks a record exactly as the stream will, before it is sent. */
import * as validators from "#validators";
import type { RecordSchema } from "../../functions/files/mapping/types";
import { accept } from "../../functions/scoring/core/accept";
import type { Validate } from "../../functions/scoring/core/json-schema";
import { problemText } from "../../functions/scoring/core/problems";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import { PROFILES } from "../../functions/scoring/profiles";
import { UsageError } from "../options";

export type Checked =
  | { readonly kind: "accepted"; readonly id: string; readonly partitionKey: string; readonly data: Uint8Array }
  | { readonly kind: "rejected"; readonly reason: string };

/** The value in a reason differs from row to row; it is cut off so that equal reasons are counted together. */
const shownValue = /, got .*?\.(?= \/|$)/g;

export class RecordChecker {
  readonly schema: RecordSchema;
  private readonly profile: AnyProfile;
  private readonly validate: Validate;

  constructor(profileId: string) {
    const streamed: readonly AnyProfile[] = Object.values<AnyProfile>(PROFILES).filter(({ stateful }) => stateful);
    const profile = streamed.find(({ id }) => id === profileId);
    const validate = Object.entries(validators).find(([id]) => id === profileId)?.[1];
    if (profile === undefined || validate === undefined) {
      const known = streamed.map(({ id }) => id).join(", ");
      throw new UsageError(`--profile: expected a profile that is scored from a stream (${known}), got "${profileId}".`);
    }
    const { properties = {}, required = [] } = profile.schema;
    this.profile = profile;
    this.validate = validate;
    this.schema = { properties, required };
  }

  check(record: Readonly<Record<string, unknown>>): Checked {
    const accepted = accept(this.profile, this.validate, record);
    if (!accepted.ok) return { kind: "rejected", reason: problemText(accepted.problems).replace(shownValue, ".") };
    const id = this.profile.eventId(accepted.input) ?? "";
    const partitionKey = this.profile.userKey(accepted.input) ?? id;
    return { kind: "accepted", id, partitionKey, data: Buffer.from(JSON.stringify(record), "utf8") };
  }
}
