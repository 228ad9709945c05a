export { firewallBodies } from "./firewall";
export { vpcBodies } from "./vpc";
