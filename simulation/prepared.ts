/** What all histories of one product share: compiled policies and the tokeniser. Pure, so that sharing changes no history. */
import type { Product } from "./load-product";

export interface Prepared {
  readonly product: Product;
  readonly policies: { readonly [Name in "fraud" | "lead" | "device"]: ReturnType<typeof policyOf> };
  readonly tokenisers: { readonly [Name in "fraud" | "lead" | "device"]: ReturnType<Product["createTokeniser"]> };
}

export function prepare(product: Product): Prepared {
  const { PROFILES, createTokeniser } = product;
  const tokeniser = (name: "fraud" | "lead" | "device") => createTokeniser("simulated secret", PROFILES[name].schema);
  return {
    product,
    policies: { fraud: policyOf(product, "fraud"), lead: policyOf(product, "lead"), device: policyOf(product, "device") },
    tokenisers: { fraud: tokeniser("fraud"), lead: tokeniser("lead"), device: tokeniser("device") },
  };
}

function policyOf({ PROFILES, compilePolicy, policy }: Product, name: "fraud" | "lead" | "device") {
  const profile = PROFILES[name];
  const compiled = compilePolicy(profile.defaultPolicy, profile, policy);
  if (!compiled.ok) throw new Error(`The default policy of ${name} is not valid: ${JSON.stringify(compiled.problems)}`);
  return compiled.policy;
}
