/** Events of the promotion's states. */
import { promotionEvent as validateEvent } from "#validators";
import { fail } from "../common/errors";
import type { Conversion, PromotionEvent } from "../common/events";
import { listed, reader } from "../common/read-json";

interface Model {
  readonly dataset: string;
  readonly modelName: string;
}

export type ConvertRequest = Model & { readonly action: "convert" };
/** The steps after the conversion, with its result. */
export type RolloutRequest = Model & { readonly action: "canary" | "check" | "flip"; readonly conversion: Conversion };
export type PromotionRequest = ConvertRequest | RolloutRequest;

const readEvent = reader<PromotionEvent>(validateEvent);

/** Throws `InvalidInput`. */
export function readPromotion(event: unknown): PromotionRequest {
  const parsed = readEvent(event);
  if (!parsed.ok)
    fail("InvalidInput", `The event of model-promotion is wrong: ${listed(parsed.problems)} Correct the state machine.`);
  const { action, dataset, modelName, convert: conversion } = parsed.value;
  if (action === "convert") return { action, dataset, modelName };
  if (conversion !== undefined) return { action, dataset, modelName, conversion };
  return fail(
    "InvalidInput",
    `The event of model-promotion is wrong: /convert: action "${action}" needs the result of "convert".`,
  );
}
