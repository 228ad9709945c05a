/** How promotions, challenges and rollbacks change a document. Pure. */
import { type ChallengerRef, type ModelRef, type ModelsDocument, refName } from "./document";

/** Makes the model the champion. The previous champion leaves, fallbacks stay, and the promoted model stops being a challenger. */
export function promoted({ chain, challengers = [] }: ModelsDocument, model: ModelRef): ModelsDocument {
  const others = (ref: ModelRef): boolean => refName(ref) !== refName(model);
  return documentOf(
    [model, ...chain.slice(1).filter(others)],
    challengers.filter((challenger) => others(challenger.model)),
  );
}

/** Adds the model to the challengers, in its old place if it had one. */
export function challenged(
  { chain, challengers = [] }: ModelsDocument,
  model: ModelRef,
  percent: number | undefined,
): ModelsDocument {
  const entry: ChallengerRef = { model, ...(percent === undefined ? {} : { percent }) };
  const at = challengers.findIndex((challenger) => refName(challenger.model) === refName(model));
  return documentOf(chain, at < 0 ? [...challengers, entry] : challengers.with(at, entry));
}

/** Removes the challenger of that name; undefined when there is none. */
export function withdrawn({ chain, challengers = [] }: ModelsDocument, name: string): ModelsDocument | undefined {
  const rest = challengers.filter(({ model }) => refName(model) !== name);
  return rest.length === challengers.length ? undefined : documentOf(chain, rest);
}

/**
 * An earlier document, to go back to. A challenger in it that has since been promoted or withdrawn answers no share, because a
 * promotion's canary would otherwise come back together with the previous champion. It may stay in shadow.
 * @param left the current document; undefined when it can't be read
 */
export function rolledBack({ chain, challengers = [] }: ModelsDocument, left: ModelsDocument | undefined): ModelsDocument {
  const stands = (name: string): boolean =>
    left === undefined || (left.challengers ?? []).some(({ model }) => refName(model) === name);
  return documentOf(
    chain,
    challengers.filter(({ model, percent = 0 }) => percent === 0 || stands(refName(model))),
  );
}

function documentOf(chain: readonly ModelRef[], challengers: readonly ChallengerRef[]): ModelsDocument {
  return { chain, ...(challengers.length === 0 ? {} : { challengers }) };
}

/** For people: `fraud-trees-1 (trees)`. */
export function describeRef(ref: ModelRef): string {
  return ref.kind === "rules-only" ? "rules only" : `${ref.name} (${ref.kind})`;
}
