/** Tag inputs of every resource type; the local body keeps none because nothing local reads them. */
export const tagInputs = {
  tags: "tags steer billing and search in the cloud account",
  tagsAll: "computed from provider default tags",
  region: "one machine is one region",
};
