export {
  createTarget,
  type CreatedTarget,
  CreateTargetError,
  type TargetWish,
} from "./create-target.ts";
