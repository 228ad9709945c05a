/** What Athena works with. */
import type { Warehouse } from "@risk/local-warehouse";
import type { Iam } from "../../permissions/iam";
import type { GlueCatalog } from "../glue";
import type { S3Service } from "../s3";

export interface AthenaPorts {
  readonly catalog: GlueCatalog;
  readonly s3: Pick<S3Service, "get" | "put" | "list" | "keyUse">;
  readonly warehouse: Pick<Warehouse, "queryLake">;
  readonly iam: Pick<Iam, "authorize">;
}
