/** Numbers of decision generations: one for each set of inputs, taken for good by a manifest in the data bucket. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { Generation } from "../../functions/replay/generation-line";
import { statusOf } from "../../functions/shared/sdk-error";

/** Beside the folders of the generations themselves. Their suffix isn't that of lines, so the warehouse is not told of them. */
const MANIFESTS = "generations/manifests/";
const SUMMARIES = "generations/summaries/";

/** What a manifest says. */
export interface Manifest extends Generation {
  /** Hash of everything that the generation's decisions depend on. */
  readonly inputs: string;
  /** For people: the replay's settings. */
  readonly settings: unknown;
}

export interface Taken {
  readonly generation: Generation;
  /** The summary, when all of the generation has been written before. */
  readonly summary: unknown;
}

export class Generations {
  constructor(
    private readonly s3: S3Client,
    private readonly bucket: string,
  ) {}

  /** The number that these inputs have, or the next one. The same inputs get the same number, also after a replay that broke off. */
  async take(inputs: string, settings: unknown, now: Date): Promise<Taken> {
    const manifests = await this.#manifests();
    const known = manifests.find((manifest) => manifest.inputs === inputs);
    if (known !== undefined) {
      const { number, scoredAt } = known;
      return { generation: { number, scoredAt }, summary: await this.#read(summaryKey(number)) };
    }
    const next = Math.max(0, ...manifests.map(({ number }) => number)) + 1;
    const generation: Generation = { number: next, scoredAt: now.toISOString() };
    const manifest: Manifest = { ...generation, inputs, settings };
    // Somebody else may have taken the number meanwhile, perhaps for the same inputs.
    if (!(await this.#create(manifestKey(next), manifest))) return this.take(inputs, settings, now);
    return { generation, summary: undefined };
  }

  /** Notes that everything has been written. */
  async complete({ number }: Generation, summary: unknown): Promise<void> {
    await this.#create(summaryKey(number), summary);
  }

  async #manifests(): Promise<readonly Manifest[]> {
    const manifests: Manifest[] = [];
    let token: string | undefined;
    do {
      const page = await this.s3.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: MANIFESTS,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
      // Only `take` writes manifests.
      for (const { Key = "" } of page.Contents ?? []) manifests.push((await this.#read(Key)) as Manifest);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return manifests;
  }

  async #read(key: string): Promise<unknown> {
    try {
      const object = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      return JSON.parse((await object.Body?.transformToString()) ?? "null");
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async #create(key: string, value: unknown): Promise<boolean> {
    const put = { Bucket: this.bucket, Key: key, Body: JSON.stringify(value, null, 2), ContentType: "application/json" };
    try {
      await this.s3.send(new PutObjectCommand({ ...put, IfNoneMatch: "*" }));
      return true;
    } catch (error) {
      const status = statusOf(error);
      if (status === 412 || status === 409) return false;
      throw error;
    }
  }
}

const manifestKey = (number: number): string => `${MANIFESTS}${number}.json`;
const summaryKey = (number: number): string => `${SUMMARIES}${number}.json`;
