/** Settings of the warehouse that contradict each other, or are wrong in a way that a pattern can't express. */
import type { Contradiction, StackConfig } from "./stack-config";

/** Items of a comma-separated setting; an empty setting has none. */
export const listOf = (text: string): string[] => (text === "" ? [] : text.split(","));

export function warehouseContradictions(config: StackConfig): Contradiction[] {
  if (!config["warehouse.enabled"]) return [];
  const found: Contradiction[] = [];
  const zones = listOf(config["warehouse.availabilityZones"]);
  if (new Set(zones).size < zones.length || zones.some((zone) => zone.slice(0, -1) !== config.region)) {
    found.push({
      key: "warehouse.availabilityZones",
      expected: `zones of ${config.region}, each once`,
      fix: ["a", "b", "c"].map((letter) => `${config.region}${letter}`).join(","),
    });
  }
  const networks = listOf(config["warehouse.clientCidrs"]);
  // EC2 stores the network's own address, and the provider rejects any other.
  if (networks.some((network) => network !== canonical(network))) {
    found.push({
      key: "warehouse.clientCidrs",
      expected: "addresses of networks, whose bits behind the prefix are 0",
      fix: networks.map(canonical).join(","),
    });
  }
  return found;
}

/** `10.8.1.7/16` → `10.8.0.0/16` */
function canonical(network: string): string {
  const [address = "", prefix = ""] = network.split("/");
  const bits = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(bits / size) * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")}/${prefix}`;
}
