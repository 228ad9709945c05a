/** Lines that reach the archive in the answer of an invocation, because whoever invoked it writes the archive object. */
import { type Archived, archive, copyAlerts } from "./archive-batch";
import { answeredKey, repeatedKey } from "./batch-key";
import type { LineSink } from "./line-sink";
import { ofRecord } from "./record-fault";
import type { Entry } from "./score-batch";

export interface AnswerLines extends LineSink {
  /** The line of a record's event, without a newline; undefined if another object has the event. */
  lineAt(position: string): string | undefined;
}

/**
 * Nobody knows yet what the objects will be called that the lines of the answer go to, nor whether the answer arrives. So these events stay
 * recorded for a key that never holds lines, which means the same as everywhere: not known to be archived. Whoever delivers such an event
 * again brings it to the archive again; the warehouse takes it once, by its id.
 *
 * What the answer has no room for goes to archive objects of the function's own.
 * @param room bytes of base64 text that the answer has for lines
 */
export function createAnswerLines(room: number): AnswerLines {
  const lines = new Map<string, string>();
  let left = room;
  return {
    lineAt: (position) => lines.get(position),
    keyOf: answeredKey,
    async take(pending, done, args): Promise<Archived> {
      const fitting: Entry[] = [];
      const texts: string[] = [];
      for (const entry of pending) {
        const text = ofRecord(entry.line);
        const bytes = base64Bytes(Buffer.byteLength(text) + 1);
        if (bytes > left) break;
        left -= bytes;
        fitting.push(entry);
        texts.push(text);
      }
      const keyOf = (eventIds: readonly string[]): string =>
        repeatedKey(args.profile, (fitting[0] as Entry).candidate.record, eventIds);
      await copyAlerts(fitting, texts, keyOf, args);
      for (const [index, { candidate }] of fitting.entries()) lines.set(candidate.record.position, texts[index] as string);
      const archived = await archive(pending.slice(fitting.length), done, args);
      return { ...archived, count: fitting.length + archived.count };
    },
  };
}

const base64Bytes = (bytes: number): number => 4 * Math.ceil(bytes / 3);
