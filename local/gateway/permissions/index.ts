/** Who may do what: the account's policies, and what the services of AWS ask of each other. The runtime decides by it, the controls read it. */
export { KEY_NEEDS, MACHINE_KEY_NEED } from "./key-use";
export { MANAGED_POLICIES } from "./managed-policies";
export { evaluateIdentity, type Policy, parsePolicy } from "./policy";
export { findPair, keySends, type Place, refusalOf, type ServiceDelivery, unknownPair } from "./service-access";
export { type KeyUse, SERVICE_PAIRS, type ServicePair, type TargetKind } from "./service-pairs";
