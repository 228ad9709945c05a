/** This machine as a Pulumi provider: the real engine deploys to it. */
export { cliEnvironment, type Session, type SessionOptions, startSession } from "./session";
export { copyStackFiles } from "./stack-files";
