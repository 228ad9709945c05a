/** Why something could not be sent back, in words that quote nothing of it: messages and records are personal data, and a terminal is not. */

/** Its text is ours and quotes nothing of the message or record. */
export class RedriveFailure extends Error {
  override readonly name = "RedriveFailure";
}

/** Errors of AWS whose text is about a role, an action and a resource. */
const ABOUT_RIGHTS = ["AccessDenied", "AccessDeniedException", "KmsAccessDenied", "KMSAccessDeniedException"];

/** Any other error's text may quote what it was about, as those of validation and of JSON.parse do, so only its name or code is told. */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return "Unknown error";
  if (error instanceof RedriveFailure || ABOUT_RIGHTS.includes(error.name)) return error.message;
  // Errors of the network are all called "Error" and have a code.
  return error.name === "Error" && "code" in error ? String(error.code) : error.name;
}

/** @throws RedriveFailure that quotes nothing of the text */
export function parseUnquoted(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RedriveFailure(`${what} is not JSON.`);
  }
}
