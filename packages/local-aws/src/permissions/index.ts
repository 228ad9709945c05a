/** Who may do what: the account's policies, and what AWS services require of each other. The runtime and the controls share it. */
export { Iam } from "./iam";
export { KEY_NEEDS, MACHINE_KEY_NEED } from "./key-use";
export type { KeyUse, ServicePair, TargetKind } from "./pair";
export { evaluateIdentity, type Policy, parsePolicy } from "./policy";
export { findPair, keySends, type Place, refusalOf, type ServiceDelivery, unknownPair } from "./service-access";
export { SERVICE_PAIRS } from "./service-pairs";
