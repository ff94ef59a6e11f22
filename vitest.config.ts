import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@blkstack/source"] },
  ssr: { resolve: { conditions: ["@blkstack/source"] } },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["packages/*/src/**/*.test.ts"] },
      },
      {
        extends: true,
        test: { name: "examples", include: ["tooling/examples.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ["packages/*/test/**/*.test-d.ts"],
            tsconfig: "./tsconfig.test-d.json",
          },
        },
      },
    ],
  },
});
