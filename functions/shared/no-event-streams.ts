/**
 * Replaces `@smithy/core/event-streams` in the bundles. No function here reads or writes an event stream (S3 Select, SubscribeToShard);
 * the SDK loads the module on demand, which keeps a bundler from dropping unused parts of the modules that it shares with others.
 */
function refuse(): never {
  throw new Error(
    "Commands with event streams do not work in the bundled functions: to use them, remove the stand-in for @smithy/core/event-streams from build/bundle.ts.",
  );
}

export class EventStreamSerde {
  constructor() {
    refuse();
  }
}

export const eventStreamSerdeProvider = refuse;

/** Returns a client's configuration unchanged: the provider above is only called by commands with an event stream. */
export const resolveEventStreamSerdeConfig = <Config>(config: Config): Config => config;
