/** Local bodies of Athena's Pulumi types. */
import type { NameRule, ResourceBody } from "../../contracts";
import { dotted, named, optionalString, put, regionInput, stableUuid, tagInputs } from "../resource-parts";
import { type Workgroups, workgroupOf } from "./workgroups";

/** Athena API reference, WorkGroupName. */
const workgroupName: NameRule = { field: "name", maxLength: 128, characters: dotted };
const queryName: NameRule = { field: "name", maxLength: 128 };

export function athenaBodies(workgroups: Workgroups): ResourceBody[] {
  return [
    {
      type: "aws:athena/workgroup:Workgroup",
      // Of the configuration: enforcement, limit, location and key of results. Metrics and engine have no effect here.
      honoured: ["name", "configuration", "state", "forceDestroy"],
      cloudOnly: { ...tagInputs, description: "only shown in the console" },
      replaceOn: ["name"],
      ...named(workgroupName, (name, { inputs, region, accountId }) => ({
        id: name,
        state: { ...inputs, name, arn: `arn:aws:athena:${region}:${accountId}:workgroup/${name}` },
      })),
      ...put((resource) => workgroups.put(workgroupOf(resource))),
      delete: ({ id }) => workgroups.delete(id),
    },
    {
      type: "aws:athena/namedQuery:NamedQuery",
      honoured: ["name", "database", "query", "workgroup", "description"],
      cloudOnly: regionInput,
      replaceOn: ["name", "database", "query", "workgroup", "description"],
      ...named(queryName, (name, { inputs }) => {
        // A changed query is another one, beside the one that it replaces.
        const id = stableUuid(JSON.stringify([name, inputs.database, inputs.query, inputs.workgroup, inputs.description]));
        return { id, state: { ...inputs, name } };
      }),
      create: ({ id, inputs, state }) => {
        const workgroup = workgroups.get(String(inputs.workgroup ?? "primary")).name;
        const description = optionalString(inputs.description);
        const [database, sql] = [String(inputs.database), String(inputs.query)];
        workgroups.queries.set(id, { id, name: String(state.name), description, database, sql, workgroup });
      },
      delete: ({ id }) => void workgroups.queries.delete(id),
    },
  ];
}
