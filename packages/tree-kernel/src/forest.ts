/**
 * The trees of an image as a graph again, for explanations: padding is gone, every node knows the mean of the leaves below it,
 * weighted by how many training rows (by hessian) reached them. Built on first use, in a few milliseconds.
 */
import { SLOT_SHIFT } from "./columns";
import { GROUP, type Image } from "./image";

export interface Forest {
  /** Root node and output of each tree. */
  readonly roots: readonly { readonly node: number; readonly output: number }[];
  /** Children, -1 at a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** A row goes right when its slot number `slot[node]` is above `key[node]`. */
  readonly slot: Int32Array;
  readonly key: Int32Array;
  readonly feature: Int32Array;
  /** Value of a leaf, weighted mean of the leaves below a node. */
  readonly mean: Float64Array;
  readonly cover: Float64Array;
}

export function forestOf(image: Image): Forest {
  const builder = new Builder(image);
  return image.description.layout === "perfect" ? builder.perfect() : builder.pointer();
}

class Builder {
  private readonly forest: Forest & { roots: { node: number; output: number }[] };
  private readonly cover: ArrayLike<number>;
  private free = 0;

  constructor(private readonly image: Image) {
    const { nodes } = image.description;
    const { cover, shortCover } = image.sections;
    this.cover = shortCover.length > 0 ? shortCover : cover;
    this.forest = {
      roots: [],
      left: new Int32Array(nodes).fill(-1),
      right: new Int32Array(nodes).fill(-1),
      slot: new Int32Array(nodes),
      key: new Int32Array(nodes),
      feature: new Int32Array(nodes),
      mean: new Float64Array(nodes),
      cover: new Float64Array(nodes),
    };
  }

  perfect(): Forest {
    const { shortNodes, nodes, leaves: values } = this.image.sections;
    const isShort = this.image.description.nodeBytes === 2;
    const words = isShort ? shortNodes : nodes;
    let start = 0;
    for (const { output, depth, groups } of this.image.description.runs) {
      const leaves = 2 ** depth;
      const visit = (heap: number): number => {
        const leaf = start + heap - leaves;
        if (heap >= leaves) return this.leaf(values[leaf]!, this.cover[leaf]!);
        const word = words[start + heap]!;
        // Padding: the leaf that it stands for lies to the left.
        if (word === 0) return visit(2 * heap);
        const slot = isShort ? word & 0xff : (word & 0xffff) >> SLOT_SHIFT;
        return this.split(slot, word, () => [visit(2 * heap), visit(2 * heap + 1)]);
      };
      for (let tree = 0; tree < GROUP * groups; tree++, start += leaves) {
        // A tree that only fills a group adds -0.
        const isFiller = words[start + 1] === 0 && Object.is(values[start], -0);
        if (!isFiller) this.forest.roots.push({ node: visit(1), output });
      }
    }
    return this.forest;
  }

  pointer(): Forest {
    const { nodes: words, roots } = this.image.sections;
    const values = new Float32Array(words.buffer, words.byteOffset, words.length);
    const filler = words.length / 4 - 1;
    const visit = (at: number): number => {
      const [slot, key, left] = [words[4 * at]!, words[4 * at + 1]!, words[4 * at + 2]! >> 4];
      if (slot === 0) return this.leaf(values[4 * at + 3]!, this.cover[at]!);
      return this.split(slot >> SLOT_SHIFT, key, () => [visit(left), visit(left + 1)]);
    };
    let group = 0;
    for (const { output, groups } of this.image.description.runs) {
      for (let last = group + groups; group < last; group++) {
        for (let member = 1; member <= GROUP; member++) {
          const root = roots[(GROUP + 1) * group + member]! >> 4;
          if (root !== filler) this.forest.roots.push({ node: visit(root), output });
        }
      }
    }
    return this.forest;
  }

  private leaf(value: number, cover: number): number {
    const node = this.free++;
    this.forest.mean[node] = value;
    this.forest.cover[node] = cover;
    return node;
  }

  private split(slotNumber: number, key: number, children: () => readonly [number, number]): number {
    const { left, right, slot, key: keys, feature, mean, cover } = this.forest;
    const node = this.free++;
    slot[node] = slotNumber;
    keys[node] = key;
    feature[node] = this.image.sections.columnFeatures[(slotNumber - 1) >> 1]!;
    const [l, r] = children();
    left[node] = l;
    right[node] = r;
    cover[node] = cover[l]! + cover[r]!;
    // Nodes that no training row reached weigh nothing; their halves then count alike.
    mean[node] = cover[node]! > 0 ? (mean[l]! * cover[l]! + mean[r]! * cover[r]!) / cover[node]! : (mean[l]! + mean[r]!) / 2;
    return node;
  }
}
