/** What arrived to be scored, by every trigger. */
import type { World } from "./world";

export interface ArrivedRecord {
  readonly position: string;
  readonly data: Buffer;
  readonly arrivedAtMs: number;
}

export function arrivedRecords({ stream, eventQueue, prepared: { product } }: World): readonly ArrivedRecord[] {
  const ofStream = stream.shards.flatMap(({ records }) =>
    records.map(({ shardId, sequence, data, arrivedAtMs }) => ({ position: `${shardId}:${sequence}`, data, arrivedAtMs })),
  );
  const ofQueue = eventQueue.sent.flatMap(({ body, sentAtMs }) => {
    const message = product.readMessage(body);
    return message === null
      ? []
      : [{ position: product.positionOf(message), data: Buffer.from(message.event), arrivedAtMs: sentAtMs }];
  });
  return [...ofStream, ...ofQueue];
}
