import { AwsError } from "../../contracts";

/** A pattern that AWS would refuse; `path` is the field inside the pattern, e.g. `detail.score`. */
export class InvalidEventPattern extends AwsError {
  constructor(path: string, reason: string) {
    super("InvalidEventPatternException", `Event pattern is not valid. Reason: ${reason}${path === "" ? "" : ` (at ${path})`}`);
  }
}
