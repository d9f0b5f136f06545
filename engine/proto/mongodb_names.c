/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/mongodb_names.h"

#include <stdlib.h>
#include <string.h>

/* Commands of MongoDB 3.6 to 8, sorted by byte. */
static const struct command {
	const char *name;
	enum mongodb_kind kind;
} commands[] = {
	{"abortTransaction", MONGODB_PLAIN}, {"addShard", MONGODB_PLAIN}, {"aggregate", MONGODB_COLLECTION},
	{"appendOplogNote", MONGODB_PLAIN}, {"atlasVersion", MONGODB_PLAIN}, {"authenticate", MONGODB_PLAIN},
	{"availableQueryOptions", MONGODB_PLAIN}, {"balancerStart", MONGODB_PLAIN}, {"balancerStatus", MONGODB_PLAIN},
	{"balancerStop", MONGODB_PLAIN}, {"buildInfo", MONGODB_PLAIN}, {"buildinfo", MONGODB_PLAIN},
	{"bulkWrite", MONGODB_PLAIN}, {"cloneCollectionAsCapped", MONGODB_PLAIN}, {"collMod", MONGODB_COLLECTION},
	{"collStats", MONGODB_COLLECTION}, {"collstats", MONGODB_COLLECTION}, {"commitTransaction", MONGODB_PLAIN},
	{"compact", MONGODB_COLLECTION}, {"configureFailPoint", MONGODB_PLAIN}, {"connPoolStats", MONGODB_PLAIN},
	{"connPoolSync", MONGODB_PLAIN}, {"connectionStatus", MONGODB_PLAIN}, {"convertToCapped", MONGODB_COLLECTION},
	{"coordinateCommitTransaction", MONGODB_PLAIN}, {"count", MONGODB_COLLECTION}, {"create", MONGODB_COLLECTION},
	{"createIndexes", MONGODB_COLLECTION}, {"createRole", MONGODB_PLAIN},
	{"createSearchIndexes", MONGODB_COLLECTION}, {"createUser", MONGODB_PLAIN}, {"currentOp", MONGODB_PLAIN},
	{"dataSize", MONGODB_COLLECTION}, {"datasize", MONGODB_COLLECTION}, {"dbStats", MONGODB_PLAIN},
	{"dbstats", MONGODB_PLAIN}, {"delete", MONGODB_COLLECTION}, {"deleteIndexes", MONGODB_COLLECTION},
	{"distinct", MONGODB_COLLECTION}, {"driverOIDTest", MONGODB_PLAIN}, {"drop", MONGODB_COLLECTION},
	{"dropAllRolesFromDatabase", MONGODB_PLAIN}, {"dropAllUsersFromDatabase", MONGODB_PLAIN},
	{"dropDatabase", MONGODB_PLAIN}, {"dropIndexes", MONGODB_COLLECTION}, {"dropRole", MONGODB_PLAIN},
	{"dropSearchIndex", MONGODB_COLLECTION}, {"dropUser", MONGODB_PLAIN}, {"enableSharding", MONGODB_PLAIN},
	{"endSessions", MONGODB_PLAIN}, {"explain", MONGODB_PLAIN}, {"features", MONGODB_PLAIN},
	{"filemd5", MONGODB_COLLECTION}, {"find", MONGODB_COLLECTION}, {"findAndModify", MONGODB_COLLECTION},
	{"findandmodify", MONGODB_COLLECTION}, {"flushRouterConfig", MONGODB_PLAIN}, {"forceerror", MONGODB_PLAIN},
	{"fsync", MONGODB_PLAIN}, {"fsyncUnlock", MONGODB_PLAIN}, {"geoNear", MONGODB_COLLECTION},
	{"geoSearch", MONGODB_COLLECTION}, {"getCmdLineOpts", MONGODB_PLAIN}, {"getDefaultRWConcern", MONGODB_PLAIN},
	{"getFreeMonitoringStatus", MONGODB_PLAIN}, {"getLastError", MONGODB_PLAIN}, {"getLog", MONGODB_PLAIN},
	{"getMore", MONGODB_GETMORE}, {"getParameter", MONGODB_PLAIN}, {"getPrevError", MONGODB_PLAIN},
	{"getShardMap", MONGODB_PLAIN}, {"getShardVersion", MONGODB_PLAIN}, {"getnonce", MONGODB_PLAIN},
	{"grantPrivilegesToRole", MONGODB_PLAIN}, {"grantRolesToRole", MONGODB_PLAIN},
	{"grantRolesToUser", MONGODB_PLAIN}, {"group", MONGODB_COLLECTION}, {"hello", MONGODB_HELLO},
	{"hostInfo", MONGODB_PLAIN}, {"insert", MONGODB_COLLECTION}, {"invalidateUserCache", MONGODB_PLAIN},
	{"isMaster", MONGODB_HELLO}, {"isdbgrid", MONGODB_PLAIN}, {"ismaster", MONGODB_HELLO},
	{"killAllSessions", MONGODB_PLAIN}, {"killAllSessionsByPattern", MONGODB_PLAIN},
	{"killCursors", MONGODB_PLAIN}, {"killOp", MONGODB_PLAIN}, {"killSessions", MONGODB_PLAIN},
	{"listCollections", MONGODB_PLAIN}, {"listCommands", MONGODB_PLAIN}, {"listDatabases", MONGODB_PLAIN},
	{"listIndexes", MONGODB_COLLECTION}, {"listShards", MONGODB_PLAIN}, {"lockInfo", MONGODB_PLAIN},
	{"logApplicationMessage", MONGODB_PLAIN}, {"logRotate", MONGODB_PLAIN}, {"logout", MONGODB_PLAIN},
	{"mapReduce", MONGODB_COLLECTION}, {"mapreduce", MONGODB_COLLECTION}, {"mergeChunks", MONGODB_COLLECTION},
	{"moveChunk", MONGODB_COLLECTION}, {"netstat", MONGODB_PLAIN}, {"parallelCollectionScan", MONGODB_COLLECTION},
	{"ping", MONGODB_PLAIN}, {"planCacheClear", MONGODB_COLLECTION}, {"planCacheClearFilters", MONGODB_COLLECTION},
	{"planCacheListFilters", MONGODB_PLAIN}, {"planCacheSetFilter", MONGODB_COLLECTION},
	{"prepareTransaction", MONGODB_PLAIN}, {"profile", MONGODB_PLAIN}, {"reIndex", MONGODB_COLLECTION},
	{"refreshSessions", MONGODB_PLAIN}, {"removeShard", MONGODB_PLAIN}, {"renameCollection", MONGODB_COLLECTION},
	{"replSetFreeze", MONGODB_PLAIN}, {"replSetGetConfig", MONGODB_PLAIN}, {"replSetGetRBID", MONGODB_PLAIN},
	{"replSetGetStatus", MONGODB_PLAIN}, {"replSetHeartbeat", MONGODB_PLAIN}, {"replSetInitiate", MONGODB_PLAIN},
	{"replSetMaintenance", MONGODB_PLAIN}, {"replSetReconfig", MONGODB_PLAIN},
	{"replSetRequestVotes", MONGODB_PLAIN}, {"replSetStepDown", MONGODB_PLAIN}, {"replSetSyncFrom", MONGODB_PLAIN},
	{"replSetUpdatePosition", MONGODB_PLAIN}, {"resetError", MONGODB_PLAIN},
	{"reshardCollection", MONGODB_COLLECTION}, {"revokePrivilegesFromRole", MONGODB_PLAIN},
	{"revokeRolesFromRole", MONGODB_PLAIN}, {"revokeRolesFromUser", MONGODB_PLAIN}, {"rolesInfo", MONGODB_PLAIN},
	{"rotateCertificates", MONGODB_PLAIN}, {"saslContinue", MONGODB_PLAIN}, {"saslStart", MONGODB_PLAIN},
	{"serverStatus", MONGODB_PLAIN}, {"setDefaultRWConcern", MONGODB_PLAIN},
	{"setFeatureCompatibilityVersion", MONGODB_PLAIN}, {"setParameter", MONGODB_PLAIN},
	{"setShardVersion", MONGODB_PLAIN}, {"shardCollection", MONGODB_COLLECTION},
	{"shardConnPoolStats", MONGODB_PLAIN}, {"shutdown", MONGODB_PLAIN}, {"split", MONGODB_COLLECTION},
	{"splitVector", MONGODB_COLLECTION}, {"startSession", MONGODB_PLAIN}, {"top", MONGODB_PLAIN},
	{"touch", MONGODB_COLLECTION}, {"update", MONGODB_COLLECTION}, {"updateRole", MONGODB_PLAIN},
	{"updateSearchIndex", MONGODB_COLLECTION}, {"updateUser", MONGODB_PLAIN}, {"usersInfo", MONGODB_PLAIN},
	{"validate", MONGODB_COLLECTION}, {"whatsmyuri", MONGODB_PLAIN},
};

/* From src/mongo/base/error_codes.yml, sorted by code. */
static const struct code {
	int code;
	enum req_error error;
	const char *name;
} codes[] = {
	{1, REQ_SERVER_ERROR, "InternalError"}, {2, REQ_CLIENT_ERROR, "BadValue"},
	{6, REQ_SERVER_ERROR, "HostUnreachable"}, {7, REQ_SERVER_ERROR, "HostNotFound"},
	{8, REQ_SERVER_ERROR, "UnknownError"}, {9, REQ_CLIENT_ERROR, "FailedToParse"},
	{11, REQ_CLIENT_ERROR, "UserNotFound"}, {12, REQ_CLIENT_ERROR, "UnsupportedFormat"},
	{13, REQ_CLIENT_ERROR, "Unauthorized"}, {14, REQ_CLIENT_ERROR, "TypeMismatch"},
	{15, REQ_CLIENT_ERROR, "Overflow"}, {16, REQ_CLIENT_ERROR, "InvalidLength"},
	{17, REQ_CLIENT_ERROR, "ProtocolError"}, {18, REQ_CLIENT_ERROR, "AuthenticationFailed"},
	{20, REQ_CLIENT_ERROR, "IllegalOperation"}, {22, REQ_CLIENT_ERROR, "InvalidBSON"},
	{24, REQ_SERVER_ERROR, "LockTimeout"}, {26, REQ_CLIENT_ERROR, "NamespaceNotFound"},
	{27, REQ_CLIENT_ERROR, "IndexNotFound"}, {28, REQ_CLIENT_ERROR, "PathNotViable"},
	{31, REQ_CLIENT_ERROR, "RoleNotFound"}, {40, REQ_CLIENT_ERROR, "ConflictingUpdateOperators"},
	{43, REQ_CLIENT_ERROR, "CursorNotFound"}, {46, REQ_SERVER_ERROR, "LockBusy"},
	{48, REQ_CLIENT_ERROR, "NamespaceExists"}, {50, REQ_SERVER_ERROR, "MaxTimeMSExpired"},
	{52, REQ_CLIENT_ERROR, "DollarPrefixedFieldName"}, {53, REQ_CLIENT_ERROR, "InvalidIdField"},
	{55, REQ_CLIENT_ERROR, "InvalidDBRef"}, {56, REQ_CLIENT_ERROR, "EmptyFieldName"},
	{57, REQ_CLIENT_ERROR, "DottedFieldName"}, {59, REQ_CLIENT_ERROR, "CommandNotFound"},
	{61, REQ_CLIENT_ERROR, "ShardKeyNotFound"}, {63, REQ_SERVER_ERROR, "StaleShardVersion"},
	{64, REQ_SERVER_ERROR, "WriteConcernTimeout"}, {66, REQ_CLIENT_ERROR, "ImmutableField"},
	{67, REQ_CLIENT_ERROR, "CannotCreateIndex"}, {68, REQ_CLIENT_ERROR, "IndexAlreadyExists"},
	{70, REQ_SERVER_ERROR, "ShardNotFound"}, {72, REQ_CLIENT_ERROR, "InvalidOptions"},
	{73, REQ_CLIENT_ERROR, "InvalidNamespace"}, {79, REQ_CLIENT_ERROR, "UnknownReplWriteConcern"},
	{85, REQ_CLIENT_ERROR, "IndexOptionsConflict"}, {86, REQ_CLIENT_ERROR, "IndexKeySpecsConflict"},
	{89, REQ_SERVER_ERROR, "NetworkTimeout"}, {90, REQ_SERVER_ERROR, "CallbackCanceled"},
	{91, REQ_SERVER_ERROR, "ShutdownInProgress"}, {93, REQ_SERVER_ERROR, "InvalidReplicaSetConfig"},
	{94, REQ_SERVER_ERROR, "NotYetInitialized"}, {95, REQ_SERVER_ERROR, "NotSecondary"},
	{96, REQ_CLIENT_ERROR, "OperationFailed"}, {100, REQ_SERVER_ERROR, "UnsatisfiableWriteConcern"},
	{112, REQ_SERVER_ERROR, "WriteConflict"}, {115, REQ_CLIENT_ERROR, "CommandNotSupported"},
	{117, REQ_CLIENT_ERROR, "ConflictingOperationInProgress"},
	{121, REQ_CLIENT_ERROR, "DocumentValidationFailure"}, {125, REQ_SERVER_ERROR, "CommandFailed"},
	{132, REQ_SERVER_ERROR, "ReadConcernMajorityNotEnabled"},
	{133, REQ_SERVER_ERROR, "FailedToSatisfyReadPreference"},
	{134, REQ_SERVER_ERROR, "ReadConcernMajorityNotAvailableYet"}, {136, REQ_SERVER_ERROR, "CappedPositionLost"},
	{146, REQ_SERVER_ERROR, "ExceededMemoryLimit"}, {150, REQ_SERVER_ERROR, "StaleEpoch"},
	{166, REQ_CLIENT_ERROR, "CommandNotSupportedOnView"}, {167, REQ_CLIENT_ERROR, "OptionNotSupportedOnView"},
	{175, REQ_SERVER_ERROR, "QueryPlanKilled"}, {189, REQ_SERVER_ERROR, "PrimarySteppedDown"},
	{202, REQ_SERVER_ERROR, "NetworkInterfaceExceededTimeLimit"}, {208, REQ_SERVER_ERROR, "TooManyLocks"},
	{217, REQ_SERVER_ERROR, "IncompatibleShardingMetadata"}, {225, REQ_CLIENT_ERROR, "TransactionTooOld"},
	{234, REQ_SERVER_ERROR, "RetryChangeStream"}, {237, REQ_SERVER_ERROR, "CursorKilled"},
	{238, REQ_CLIENT_ERROR, "NotImplemented"}, {241, REQ_CLIENT_ERROR, "ConversionFailure"},
	{246, REQ_SERVER_ERROR, "SnapshotUnavailable"}, {251, REQ_CLIENT_ERROR, "NoSuchTransaction"},
	{256, REQ_CLIENT_ERROR, "TransactionCommitted"}, {262, REQ_SERVER_ERROR, "ExceededTimeLimit"},
	{263, REQ_CLIENT_ERROR, "OperationNotSupportedInTransaction"},
	{280, REQ_CLIENT_ERROR, "ChangeStreamFatalError"}, {286, REQ_CLIENT_ERROR, "ChangeStreamHistoryLost"},
	{290, REQ_SERVER_ERROR, "TransactionExceededLifetimeLimitSeconds"},
	{292, REQ_SERVER_ERROR, "QueryExceededMemoryLimitNoDiskUseAllowed"},
	{303, REQ_CLIENT_ERROR, "FeatureNotSupported"}, {314, REQ_SERVER_ERROR, "ObjectIsBusy"},
	{334, REQ_CLIENT_ERROR, "InvalidIndexSpecificationOption"},
	{352, REQ_CLIENT_ERROR, "UnsupportedOpQueryCommand"},
	{358, REQ_SERVER_ERROR, "PooledConnectionAcquisitionExceededTimeLimit"},
	{362, REQ_SERVER_ERROR, "TooManyFilesOpen"}, {391, REQ_SERVER_ERROR, "ReauthenticationRequired"},
	{9001, REQ_SERVER_ERROR, "SocketException"}, {10107, REQ_SERVER_ERROR, "NotWritablePrimary"},
	{10334, REQ_CLIENT_ERROR, "BSONObjectTooLarge"}, {11000, REQ_CLIENT_ERROR, "DuplicateKey"},
	{11600, REQ_SERVER_ERROR, "InterruptedAtShutdown"}, {11601, REQ_SERVER_ERROR, "Interrupted"},
	{11602, REQ_SERVER_ERROR, "InterruptedDueToReplStateChange"}, {13388, REQ_SERVER_ERROR, "StaleConfig"},
	{13435, REQ_SERVER_ERROR, "NotPrimaryNoSecondaryOk"}, {13436, REQ_SERVER_ERROR, "NotPrimaryOrSecondary"},
	{14031, REQ_SERVER_ERROR, "OutOfDiskSpace"}, {40324, REQ_CLIENT_ERROR, "UnrecognizedPipelineStage"},
	{40353, REQ_CLIENT_ERROR, "FailedToParse"}, {40415, REQ_CLIENT_ERROR, "UnknownField"},
};

static int command_order(const void *a, const void *b)
{
	return strcmp(a, ((const struct command *)b)->name);
}

enum mongodb_kind mongodb_command_kind(const char *name)
{
	const struct command *c = bsearch(name, commands, sizeof(commands) / sizeof(*commands), sizeof(*commands), command_order);

	return c ? c->kind : MONGODB_UNKNOWN;
}

static int code_order(const void *a, const void *b)
{
	int64_t code = *(const int64_t *)a, other = ((const struct code *)b)->code;

	return code < other ? -1 : code > other;
}

const char *mongodb_error_name(int64_t code, enum req_error *error)
{
	const struct code *c = bsearch(&code, codes, sizeof(codes) / sizeof(*codes), sizeof(*codes), code_order);

	*error = c ? c->error : REQ_SERVER_ERROR;
	return c ? c->name : "Error";
}
