/** API keys and usage plans: who may call, and how often. */
import type { DatabaseSync } from "node:sqlite";
import type { Stage, Throttle } from "./api";
import { GatewayError } from "./errors";
import { TokenBucket } from "./throttle";

export interface ApiKey {
  readonly id: string;
  readonly value: string;
  readonly enabled: boolean;
}

export interface UsagePlan {
  readonly id: string;
  readonly stages: readonly {
    readonly apiId: string;
    readonly stage: string;
    readonly throttles: Readonly<Record<string, Throttle>>;
  }[];
  readonly throttle: Throttle | undefined;
  /** Requests that a key may make per day, in UTC. */
  readonly dailyQuota: number | undefined;
}

const DAY_MS = 86_400_000;

export class Usage {
  private readonly keys = new Map<string, ApiKey>();
  private readonly plans = new Map<string, UsagePlan>();
  private readonly keysOfPlan = new Map<string, Set<string>>();
  private readonly buckets = new Map<string, { readonly limit: Throttle; readonly bucket: TokenBucket }>();

  constructor(
    private readonly db: DatabaseSync,
    private readonly now: () => number,
  ) {
    db.exec(
      "CREATE TABLE IF NOT EXISTS apigateway_quota (plan TEXT, key TEXT, period INTEGER, used INTEGER NOT NULL, PRIMARY KEY (plan, key, period))",
    );
  }

  putKey(key: ApiKey): void {
    this.keys.set(key.id, key);
  }

  putPlan(plan: UsagePlan): void {
    this.plans.set(plan.id, plan);
  }

  addKey(planId: string, keyId: string): void {
    const known = this.keysOfPlan.get(planId) ?? new Set();
    this.keysOfPlan.set(planId, known.add(keyId));
  }

  deleteKey(keyId: string): void {
    this.keys.delete(keyId);
  }

  /** Also forgets which keys it has and what they have used. */
  deletePlan(planId: string): void {
    this.plans.delete(planId);
    this.keysOfPlan.delete(planId);
    this.db.prepare("DELETE FROM apigateway_quota WHERE plan = ?").run(planId);
  }

  removeKey(planId: string, keyId: string): void {
    this.keysOfPlan.get(planId)?.delete(keyId);
  }

  /**
   * Admits a request with an API key. The plan's limits hold for each key separately.
   * @throws GatewayError INVALID_API_KEY, THROTTLED, QUOTA_EXCEEDED.
   */
  admit(value: string | undefined, apiId: string, stage: string, methodPath: string): ApiKey {
    const key = [...this.keys.values()].find((candidate) => candidate.value === value);
    const plan = [...this.plans.values()].find(
      ({ id, stages }) =>
        key !== undefined &&
        this.keysOfPlan.get(id)?.has(key.id) &&
        stages.some((entry) => entry.apiId === apiId && entry.stage === stage),
    );
    if (key === undefined || !key.enabled || plan === undefined) throw new GatewayError("INVALID_API_KEY");
    const methodLimit = plan.stages.find((entry) => entry.apiId === apiId && entry.stage === stage)?.throttles[methodPath];
    this.take(`plan ${plan.id} ${key.id} ${apiId} ${stage} ${methodPath}`, methodLimit);
    this.take(`plan ${plan.id} ${key.id}`, plan.throttle);
    this.count(plan, key);
    return key;
  }

  /** Stage limits: the most specific setting of a method holds. @throws GatewayError THROTTLED. */
  admitStage(apiId: string, stage: Stage, methodPath: string): void {
    const limit = stage.throttles.get(methodPath) ?? stage.throttles.get("*/*");
    this.take(`stage ${apiId} ${stage.name} ${methodPath}`, limit);
  }

  private take(name: string, limit: Throttle | undefined): void {
    if (limit === undefined) return;
    const known = this.buckets.get(name);
    // A changed limit starts with a full bucket.
    const current = known?.limit === limit ? known : { limit, bucket: new TokenBucket(limit, this.now) };
    this.buckets.set(name, current);
    if (!current.bucket.take()) throw new GatewayError("THROTTLED");
  }

  private count(plan: UsagePlan, key: ApiKey): void {
    if (plan.dailyQuota === undefined) return;
    const day = Math.floor(this.now() / DAY_MS) * DAY_MS;
    const row = this.db
      .prepare("SELECT used FROM apigateway_quota WHERE plan = ? AND key = ? AND period = ?")
      .get(plan.id, key.id, day);
    const used = Number(row?.used ?? 0);
    if (used >= plan.dailyQuota) throw new GatewayError("QUOTA_EXCEEDED");
    this.db
      .prepare(
        "INSERT INTO apigateway_quota (plan, key, period, used) VALUES (?, ?, ?, ?) ON CONFLICT (plan, key, period) DO UPDATE SET used = excluded.used",
      )
      .run(plan.id, key.id, day, used + 1);
  }
}
