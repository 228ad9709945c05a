/** Names of a scored input and its id in answers and events. */
export interface InputNames {
  /** Member with the id of the input: equal inputs of a profile have equal ids. */
  readonly id: string;
  /** Member with the input itself, personal fields as tokens. */
  readonly data: string;
}

/** The event `Lead Scored` keeps the names that it had when leads were the only input, because its consumers read them. */
const LEAD: InputNames = { id: "leadId", data: "leadData" };
const ANY: InputNames = { id: "inputId", data: "input" };

export const inputNames = (profile: string): InputNames => (profile === "lead" ? LEAD : ANY);
