import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { hasPersonalFields, type JsonSchema } from "../scoring/core/json-schema";
import { createTokeniser, type Tokeniser } from "./tokeniser";

/** A secret's text, fetched once per process. A failed fetch is not remembered. */
export type SecretSource = () => Promise<string>;

export function createSecretSource(client: SecretsManagerClient, secretArn: string): SecretSource {
  return cached(async () => {
    const answer = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    const text = answer.SecretString;
    if (text === undefined || text === "") {
      throw new Error(`Secret ${secretArn} has no text value; the stack creates one, deploy it again.`);
    }
    return text;
  });
}

/**
 * The tokeniser of a profile, made on first use. A profile without personal fields needs no tokens, so its functions start without
 * fetching the secret.
 */
export function createTokeniserSource(secret: SecretSource, schema: JsonSchema): () => Promise<Tokeniser> {
  return cached(async () => createTokeniser(hasPersonalFields(schema) ? await secret() : null, schema));
}

/** Shares one promise between all callers until it fails. */
export function cached<T>(load: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= load().catch((error: unknown) => {
      value = undefined;
      throw error;
    });
    return value;
  };
}
