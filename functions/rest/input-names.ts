/** What a scored input and its id are called in answers and events. */
export interface InputNames {
  /** Member with the id of the input: equal inputs of a profile have equal ids. */
  readonly id: string;
  /** Member with the input itself, personal fields as tokens. */
  readonly data: string;
}

/** The event `Lead Scored` has had names of its own since leads were all that was scored; its consumers read them. */
const LEAD: InputNames = { id: "leadId", data: "leadData" };
const ANY: InputNames = { id: "inputId", data: "input" };

export const inputNames = (profile: string): InputNames => (profile === "lead" ? LEAD : ANY);
