// idiomorph ships no types; these are the parts in use.
declare module "idiomorph" {
  interface Options {
    morphStyle?: "innerHTML" | "outerHTML";
    ignoreActiveValue?: boolean;
    callbacks?: {
      beforeAttributeUpdated?: (name: string, node: Element, type: string) => boolean;
      beforeNodeMorphed?: (node: Node, fresh: Node) => boolean;
    };
  }
  export const Idiomorph: {
    morph(old: Node, fresh: Node | HTMLCollection | string, options?: Options): Node[];
  };
}
