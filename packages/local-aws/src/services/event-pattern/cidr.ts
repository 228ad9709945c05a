import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { InvalidEventPattern } from "./errors";

/** Parses `10.0.0.0/24` or `2001:db8::/32` and returns a test for addresses; other strings are simply not inside. */
export function parseCidr(cidr: string, path: string): (address: string) => boolean {
  const [network = "", bits = "", ...rest] = cidr.split("/");
  const family = isIP(network);
  const widest = family === 4 ? 32 : 128;
  if (family === 0 || network.includes("%") || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > widest) {
    throw new InvalidEventPattern(path, `cidr "${cidr}" must be an IPv4 or IPv6 network such as 10.0.0.0/24 or 2001:db8::/32`);
  }
  const block = new BlockList();
  const name = family === 4 ? "ipv4" : "ipv6";
  block.addSubnet(network, Number(bits), name);
  // BlockList would also match IPv4-mapped IPv6 addresses, which AWS keeps apart.
  const sameFamily = family === 4 ? isIPv4 : isIPv6;
  return (address) => sameFamily(address) && !address.includes("%") && block.check(address, name);
}
