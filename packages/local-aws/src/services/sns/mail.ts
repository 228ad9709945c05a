import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalContext } from "../../contracts";

export interface Publication {
  readonly message: string;
  readonly subject: string | undefined;
  readonly messageId: string;
}

/** Writes one RFC 5322 message and returns its path. Line breaks are removed from headers so that a subject cannot add any. */
export function writeMail(context: LocalContext, to: string, publication: Publication): string {
  const folder = join(context.dataDir, "mail");
  mkdirSync(folder, { recursive: true });
  const date = new Date(context.clock.now());
  const header = (value: string) => {
    const line = value.replace(/[\r\n]+/g, " ");
    return [...line].every((character) => character >= " " && character <= "~")
      ? line
      : `=?utf-8?B?${Buffer.from(line).toString("base64")}?=`;
  };
  const body = Buffer.from(publication.message).toString("base64").replace(/.{76}/g, "$&\r\n");
  const lines = [
    "From: AWS Notifications <no-reply@sns.amazonaws.com>",
    `To: ${header(to)}`,
    `Subject: ${header(publication.subject ?? "AWS Notification Message")}`,
    `Date: ${date.toUTCString()}`,
    `Message-ID: <${publication.messageId}@sns.local>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    body,
  ];
  const file = join(
    folder,
    `${date.toISOString().replace(/[:.]/g, "-")}-${publication.messageId}-${to.replace(/[^A-Za-z0-9@._-]/g, "_").slice(0, 80)}.eml`,
  );
  writeFileSync(file, `${lines.join("\r\n")}\r\n`);
  return file;
}
