export interface Violation {
  readonly kind:
    | "endless"
    | "lost"
    | "not archived"
    | "archived twice"
    | "row twice"
    | "row differs"
    | "quarantined, not whole"
    | "counted twice"
    | "not counted"
    | "state differs"
    | "no alert"
    | "no copy of an alert"
    | "score lost"
    | "label lost"
    | "redrive unclear"
    | "ledger twice"
    | "personal value";
  /** What it is about: an event, an object, a user. */
  readonly about: string;
  readonly detail: string;
}
