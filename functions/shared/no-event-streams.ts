/**
 * Stands in for `@smithy/core/event-streams` in the bundles. No function here reads or writes an event stream (S3 Select, SubscribeToShard);
 * the SDK loads the module on demand, which keeps a bundler from dropping any unused part of the modules that it shares with others.
 */
function refuse(): never {
  throw new Error(
    "Commands with event streams do not work in the bundled functions: take the stand-in for @smithy/core/event-streams out of build/bundle.ts to use them.",
  );
}

export class EventStreamSerde {
  constructor() {
    refuse();
  }
}

export const eventStreamSerdeProvider = refuse;

/** A client's configuration as it is: the provider above is not asked before a command has an event stream. */
export const resolveEventStreamSerdeConfig = <Config>(config: Config): Config => config;
