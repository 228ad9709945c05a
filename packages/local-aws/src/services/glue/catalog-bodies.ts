/** Local bodies of the Data Catalog's Pulumi types. */
import type { NameRule, ResourceBody } from "../../contracts";
import { named, optionalString, put, regionInput, tagInputs } from "../resource-parts";
import { catalogTableOf, type GlueCatalog } from "./catalog";

/** Glue API reference, NameString. Athena reads upper case as lower case. */
const catalogName: NameRule = {
  field: "name",
  maxLength: 255,
  characters: { pattern: /^[^A-Z]+$/, words: "anything but upper-case letters" },
  adapt: (generated) => generated.toLowerCase(),
};

export function catalogBodies(catalog: GlueCatalog): ResourceBody[] {
  return [
    {
      type: "aws:glue/catalogDatabase:CatalogDatabase",
      honoured: ["name", "description"],
      cloudOnly: tagInputs,
      replaceOn: ["name"],
      ...named(catalogName, (name, { inputs, region, accountId }) => ({
        id: `${accountId}:${name}`,
        state: { ...inputs, name, catalogId: accountId, arn: `arn:aws:glue:${region}:${accountId}:database/${name}` },
      })),
      ...put(({ inputs, state }) => catalog.putDatabase(String(state.name), optionalString(inputs.description))),
      delete: ({ state }) => catalog.deleteDatabase(String(state.name)),
    },
    {
      type: "aws:glue/catalogTable:CatalogTable",
      honoured: ["name", "databaseName", "description", "tableType", "parameters", "partitionKeys", "storageDescriptor"],
      cloudOnly: regionInput,
      replaceOn: ["name", "databaseName"],
      ...named(catalogName, (name, { inputs, region, accountId }) => {
        const database = String(inputs.databaseName);
        const arn = `arn:aws:glue:${region}:${accountId}:table/${database}/${name}`;
        return { id: `${accountId}:${database}:${name}`, state: { ...inputs, name, catalogId: accountId, arn } };
      }),
      ...put((resource) => catalog.putTable(catalogTableOf(resource))),
      delete: ({ inputs, state }) => catalog.deleteTable(String(inputs.databaseName), String(state.name)),
    },
  ];
}
