export default { title: "VitePress example", cleanUrls: true };
