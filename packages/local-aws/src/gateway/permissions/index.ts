/** Who may do what: the account's policies, and what the services of AWS ask of each other. The runtime decides by it, the controls read it. */
export { Iam } from "./iam";
export { KEY_NEEDS, MACHINE_KEY_NEED } from "./key-use";
export type { KeyUse, ServicePair, TargetKind } from "./pair";
export { evaluateIdentity, type Policy, parsePolicy } from "./policy";
export { findPair, keySends, type Place, refusalOf, type ServiceDelivery, unknownPair } from "./service-access";
export { SERVICE_PAIRS } from "./service-pairs";
