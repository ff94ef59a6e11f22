import { invariant } from "@blkstack/bio";
import { isBefore, type VirtualTime } from "./virtual-time.ts";

/** What stands in a tree. All but `vdisktime` is the tree's own; that must not change meanwhile. */
export interface TreeNode {
  vdisktime: VirtualTime;
  /** Orders those that are equal: who came later stands behind. */
  arrival: number;
  /** No child has more of it than its parent; drawn when the node is inserted. */
  height: number;
  left: TreeNode | null;
  right: TreeNode | null;
}

/**
 * Groups in the order of their virtual time: a treap, whose links are the nodes' own, so that
 * nothing is allocated. All takes a time that grows with the logarithm of their number.
 */
export class ServiceTree<Node extends TreeNode> {
  #root: TreeNode | null = null;
  #lastArrival = 0;
  #height = 1;

  get isEmpty(): boolean {
    return this.#root === null;
  }

  get first(): Node | null {
    let node = this.#root;
    while (node?.left != null) node = node.left;
    return node as Node | null;
  }

  get last(): Node | null {
    let node = this.#root;
    while (node?.right != null) node = node.right;
    return node as Node | null;
  }

  /** Behind those of the same time. The node must be in no tree. */
  insert(node: Node): void {
    this.#lastArrival += 1;
    node.arrival = this.#lastArrival;
    node.height = this.#nextHeight();
    this.#root = inserted(this.#root, node);
  }

  /** The node must be in the tree, with the time that it was inserted with. */
  remove(node: Node): void {
    const joined = join(node.left, node.right);
    node.left = null;
    node.right = null;
    let parent = this.#root;
    if (parent === node) {
      this.#root = joined;
      return;
    }
    while (parent !== null) {
      if (standsBefore(node, parent)) {
        if (parent.left === node) {
          parent.left = joined;
          return;
        }
        parent = parent.left;
      } else {
        if (parent.right === node) {
          parent.right = joined;
          return;
        }
        parent = parent.right;
      }
    }
    invariant(false, "a group is not where its virtual time says");
  }

  /** First to last; the tree must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<Node> {
    yield* inOrder(this.#root) as IterableIterator<Node>;
  }

  /** A fixed sequence that looks drawn by lot (xorshift): nothing else is asked of it. */
  #nextHeight(): number {
    let height = this.#height;
    height ^= height << 13;
    height ^= height >>> 17;
    height ^= height << 5;
    this.#height = height;
    return height;
  }
}

function standsBefore(node: TreeNode, other: TreeNode): boolean {
  if (node.vdisktime === other.vdisktime) return node.arrival < other.arrival;
  return isBefore(node.vdisktime, other.vdisktime);
}

/** The root of the subtree `at` with `node` in it. */
function inserted(at: TreeNode | null, node: TreeNode): TreeNode {
  if (at === null) return node;
  if (node.height > at.height) {
    divide(at, node);
    return node;
  }
  if (standsBefore(node, at)) at.left = inserted(at.left, node);
  else at.right = inserted(at.right, node);
  return at;
}

/** Makes what stands in the subtree before `node` its left, and what stands behind it its right. */
function divide(subtree: TreeNode, node: TreeNode): void {
  // The places that wait for what is still to come: of the left part its right edge, and so on.
  let leftEdge: TreeNode | null = null;
  let rightEdge: TreeNode | null = null;
  let at: TreeNode | null = subtree;
  while (at !== null) {
    if (standsBefore(at, node)) {
      if (leftEdge === null) node.left = at;
      else leftEdge.right = at;
      leftEdge = at;
      at = at.right;
    } else {
      if (rightEdge === null) node.right = at;
      else rightEdge.left = at;
      rightEdge = at;
      at = at.left;
    }
  }
  if (leftEdge !== null) leftEdge.right = null;
  if (rightEdge !== null) rightEdge.left = null;
}

/** One tree of two, of which the first stands before the second. */
function join(left: TreeNode | null, right: TreeNode | null): TreeNode | null {
  if (left === null) return right;
  if (right === null) return left;
  if (left.height > right.height) {
    left.right = join(left.right, right);
    return left;
  }
  right.left = join(left, right.left);
  return right;
}

function* inOrder(node: TreeNode | null): IterableIterator<TreeNode> {
  if (node === null) return;
  yield* inOrder(node.left);
  yield node;
  yield* inOrder(node.right);
}
