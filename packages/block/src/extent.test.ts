import { expect, it } from "vitest";
import type { BlockDevice } from "./device.ts";
import { type Extent, ExtentFlag, ExtentLayer, findExtent } from "./extent.ts";

it("of a device that cannot be asked all is data, however stale the question", () => {
  const extent: Extent = { sectors: 8, flags: ExtentFlag.Zero, layer: ExtentLayer.Cow };
  findExtent({} as BlockDevice, 0, extent);
  expect(extent).toEqual({ sectors: 8, flags: 0, layer: ExtentLayer.Only });
});
