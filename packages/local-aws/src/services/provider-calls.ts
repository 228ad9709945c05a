/** The provider functions that the program may invoke, without a cloud. */
import { randomPassword } from "./random-password";

export interface CallContext {
  readonly region: string;
  readonly accountId: string;
}

type Inputs = Readonly<Record<string, unknown>>;
export type CallAnswer = (inputs: Inputs, context: CallContext) => Record<string, unknown>;

/** By token. Other tokens aren't available locally. */
export const providerCalls: Readonly<Record<string, CallAnswer>> = {
  "aws:index/getCallerIdentity:getCallerIdentity": (_, { accountId }) => ({
    accountId,
    arn: `arn:aws:iam::${accountId}:root`,
    userId: accountId,
    id: accountId,
  }),
  "aws:index/getRegion:getRegion": (_, { region }) => ({
    region,
    name: region,
    id: region,
    description: `${region} (local)`,
    endpoint: `ec2.${region}.amazonaws.com`,
  }),
  "aws:index/getPartition:getPartition": () => ({
    partition: "aws",
    id: "aws",
    dnsSuffix: "amazonaws.com",
    reverseDnsPrefix: "com.amazonaws",
  }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": (_, { region }) => ({
    id: region,
    names: ["a", "b", "c"].map((zone) => region + zone),
    zoneIds: ["1", "2", "3"].map((zone) => `${region}-az${zone}`),
    groupNames: [region],
  }),
  // A fresh password each time: the secret that holds it ignores changes, so the first one stays.
  "aws:secretsmanager/getRandomPassword:getRandomPassword": (inputs) => {
    const { passwordLength = 32, excludePunctuation = false, ...others } = inputs;
    const unknown = Object.keys(others).filter((name) => others[name] !== undefined);
    if (unknown.length > 0) throw new Error(`getRandomPassword: ${unknown.join(", ")} has no local effect; leave it out.`);
    const password = randomPassword(Number(passwordLength), excludePunctuation === true);
    return { ...inputs, id: "random", randomPassword: password };
  },
};

/** {@link providerCalls} for one account and region. */
export function boundProviderCalls(context: CallContext): Record<string, (inputs: Inputs) => Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(providerCalls).map(([token, answer]) => [token, (inputs: Inputs) => answer(inputs, context)]),
  );
}
