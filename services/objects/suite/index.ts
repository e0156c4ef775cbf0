export { type CacheUnderTest, cacheSuite, type OpenCache } from './cache-suite.ts';
export { type OpenStore, type StoreUnderTest, storeSuite } from './store-suite.ts';
