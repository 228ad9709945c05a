/** Tags of everything that a stack creates, for cost reports and searches. */
import * as pulumi from "@pulumi/pulumi";
import { environmentOf, type Naming } from "../components/shared/naming";

/** Objects can have tags, but their cost is their bucket's, and promotions write objects without tags. */
const UNTAGGED = "aws:s3/bucketObjectv2:BucketObjectv2";

/**
 * Sets `project`, `environment` (`dev-a1`) and `component` (`scoring`: the outermost component that a resource belongs to) on everything
 * that is created from now on; a resource's own tags stay. The provider's `defaultTags` can't know the component, and the parts of the
 * network, which the awsx plugin creates, take the tags of their `Vpc`.
 */
export function tagEverything(naming: Naming): void {
  const shared = { project: pulumi.getProject(), environment: environmentOf(naming) };
  const components = new WeakMap<pulumi.Resource, string>();
  pulumi.runtime.registerStackTransformation(({ resource, type, name, props, opts }) => {
    const inherited = opts.parent === undefined ? undefined : components.get(opts.parent);
    // Not isInstance: its mark is only set after the base class has called this.
    const component = inherited ?? (resource instanceof pulumi.ComponentResource ? name : "platform");
    components.set(resource, component);
    if (!isTaggable(type, props)) return undefined;
    const tags = pulumi.output(props.tags).apply((own) => ({ ...shared, component, ...own }));
    return { props: { ...props, tags }, opts };
  });
}

/** Constructors of the SDK name every input and output of their type; those with tags also have the output `tagsAll`. */
const isTaggable = (type: string, props: object): boolean =>
  type === "awsx:ec2:Vpc" || ("tags" in props && "tagsAll" in props && type !== UNTAGGED);
