import { describe, expect, it } from "vitest";
import { messageOf } from "../../../cli/redrive/send-messages";
import { messageBody, positionOf, readMessage } from "../../../functions/stream/queue-message";

/** As `npm run redrive` makes them. */
const RUN = "2026-11-28T18:00:00.000Z-0b242abb-5c1e-4c0f-9d3a-1a2b3c4d5e6f";
const UUID = "6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9";

const sentBack = (position: string, text = '{"a":1.0}', run = RUN) => messageOf({ position, data: Buffer.from(text) }, run);

describe("a record that goes back to the event queue", () => {
  it("is a message with its own text, under a position that tells it from the one in quarantine", () => {
    for (const position of [`eventbridge:${UUID}`, `events:${UUID}:499`]) {
      const message = sentBack(position);
      expect(positionOf(message)).toBe(`${position}/${RUN}`);
      expect(readMessage(messageBody(message))).toEqual({ ...message, event: '{"a":1.0}' });
      // Sent back a second time, it is still told from the first one, and no longer.
      expect(positionOf(sentBack(positionOf(message), "{}", "second"))).toBe(`${position}/second`);
    }
  });

  it("keeps rows of a file apart, whatever their position looks like", () => {
    const rows = ["s3:data/incoming/a b.csv:1", "s3:data/incoming/a b.csv:2"].map((position) => sentBack(position));
    expect(new Set(rows.map(positionOf)).size).toBe(2);
    for (const row of rows) expect(readMessage(messageBody(row))).toEqual(row);
  });

  it("is text when it is no JSON, so that the message can be read", () => {
    expect(readMessage(messageBody(sentBack("eventbridge:m-1", '{"a"')))?.event).toBe(JSON.stringify('{"a"'));
  });
});
