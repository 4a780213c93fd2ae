export default {
  title: "Docusaurus example",
  url: "https://example.com",
  baseUrl: "/",
  onBrokenLinks: "throw",
  plugins: [["@docusaurus/plugin-content-docs", { routeBasePath: "/" }]],
  themes: ["@docusaurus/theme-classic"],
};
