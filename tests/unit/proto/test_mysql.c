/* SPDX-License-Identifier: BSD-2-Clause */
/* What begins with a greeting of "5.5.5-10.11.19-MariaDB" is as a server and its clients said it, some turns left out; all else is
 * written from the description of the protocol. */
#include "talk.h"

#define OK "\7\0\0\1\0\0\0\2\0\0\0"
#define OK_ROWS(n) "\7\0\0\1\0" n "\0\2\0\0\0"
#define PING "\1\0\0\0\xe"
#define SELECT1 "\x9\0\0\0\3SELECT 1"
/* version 10, thread 7, salt, capabilities 0x81fff7fe or so, 21 bytes behind them */
#define GREETING "\x4a\0\0\0\xa""8.0.36\0\7\0\0\0abcdefgh\0\xff\xff\x21\2\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0abcdefghijkl\0mysql_native_password\0"
#define LOGIN(caps) "\x28\0\0\1" caps "\0\0\0\1\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0root\0\0\0\0"
#define LOGIN_EOF LOGIN("\x0d\xa2\x02\x00")
#define LOGIN_OK LOGIN("\x0d\xa2\x02\x01")
#define LOGIN_ATTRIBUTES LOGIN("\x0d\xa2\x02\x08")
#define WELCOME "\7\0\0\2\0\0\0\2\0\0\0"
#define SESSION(login) T(S, GREETING), T(C, login), T(S, WELCOME)
#define COLUMN(seq) "\x17\0\0" seq "\3def\0\0\0\1""1\0\xc\x3f\0\1\0\0\0\3\x81\0\0\0\0"
#define END(seq, flags) "\5\0\0" seq "\xfe\0\0" flags "\0"
#define END_OK(seq, flags) "\7\0\0" seq "\xfe\0\0" flags "\0\0\0"
#define ROW(seq) "\2\0\0" seq "\1""1"

/* PyMySQL: texts, several statements, a procedure, errors, a file, PING, USE */
Test(mysql, texts)
{
	static const struct turn v[] = {
		T(S, "d\0\0\0\xa""5.5.5-10.11.19-MariaDB-0+deb12u1\0\x7\0\0\0u*ka#)E^\0\xfe\xf7\x8\x2\0\xff"
		     "\x81\x15\0\0\0\0\0\0\x1d\0\0\0+YaZ|'Ht01C@\0mysql_native_password\0"),
		T(C, "\x8e\0\0\x1\x8d\xa2;\0\xff\xff\xff\0-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0bench"
		     "\0\x14\xdf\x8d\x2\xb5\xd2\xe8'\x92\x1c""aF\x87\xa2\xaa$I\xd9\xb9""BCbench\0mysql_native_"
		     "password\0""6\xc_client_name\x7pymysql\x4_pid\x5""16698\xf_client_version\x5""1.0.2"),
		T(S, "\x7\0\0\x2\0\0\0\x2\0\0\0"),
		T(C, "-\0\0\0\x3insert into t values (1,'a'),(2,'b'),(3,'c')"),
		T(S, ".\0\0\x1\0\x3\0\x2\0\0\0&Records: 3  Duplicates: 0  Warnings: 0"),
		T(C, "\x1d\0\0\0\x3select * from t where id > 1"),
		T(S, "\x1\0\0\x1\x2!\0\0\x2\x3""def\x5""bench\x1t\x1t\x2id\x2id\xc\?\0\xb\0\0\0\x3\x3P\0\0\0"
		     "\x1f\0\0\x3\x3""def\x5""bench\x1t\x1t\x1v\x1v\xc-\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0\0\x4"
		     "\xfe\0\0\x2\0\x4\0\0\x5\x1""2\x1""b\x4\0\0\x6\x1""3\x1""c\x5\0\0\x7\xfe\0\0\x2\0"),
		T(C, "\x1c\0\0\0\x3select * from t where id=99"),
		T(S, "\x1\0\0\x1\x2!\0\0\x2\x3""def\x5""bench\x1t\x1t\x2id\x2id\xc\?\0\xb\0\0\0\x3\x3P\0\0\0"
		     "\x1f\0\0\x3\x3""def\x5""bench\x1t\x1t\x1v\x1v\xc-\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0\0\x4"
		     "\xfe\0\0\x2\0\x5\0\0\x5\xfe\0\0\x2\0"),
		T(C, "\x1e\0\0\0\x3update t set v='z' where id<3"),
		T(S, "0\0\0\x1\0\x2\0\x2\0\0\0(Rows matched: 2  Changed: 2  Warnings: 0"),
		T(C, "8\0\0\0\x3select 1; insert into t values (4,'x'); select * from t"),
		T(S, "\x1\0\0\x1\x1\x17\0\0\x2\x3""def\0\0\0\x1""1\0\xc\?\0\x1\0\0\0\x3\x81\0\0\0\0\x5\0\0\x3"
		     "\xfe\0\0\xa\0\x2\0\0\x4\x1""1\x5\0\0\x5\xfe\0\0\xa\0\x7\0\0\x6\0\x1\0\xa\0\0\0\x1\0\0\x7"
		     "\x2!\0\0\x8\x3""def\x5""bench\x1t\x1t\x2id\x2id\xc\?\0\xb\0\0\0\x3\x3P\0\0\0\x1f\0\0\x9"
		     "\x3""def\x5""bench\x1t\x1t\x1v\x1v\xc-\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0\0\xa\xfe\0\0\"\0"
		     "\x4\0\0\xb\x1""1\x1z\x4\0\0\xc\x1""2\x1z\x4\0\0\xd\x1""3\x1""c\x4\0\0\xe\x1""4\x1x\x5\0"
		     "\0\xf\xfe\0\0\"\0"),
		T(C, "\x9\0\0\0\x3""CALL p()"),
		T(S, "\x1\0\0\x1\x2!\0\0\x2\x3""def\x5""bench\x1t\x1t\x2id\x2id\xc\?\0\xb\0\0\0\x3\x3P\0\0\0"
		     "\x1f\0\0\x3\x3""def\x5""bench\x1t\x1t\x1v\x1v\xc-\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0\0\x4"
		     "\xfe\0\0*\0\x4\0\0\x5\x1""1\x1z\x4\0\0\x6\x1""2\x1z\x4\0\0\x7\x1""3\x1""c\x4\0\0\x8\x1""4"
		     "\x1x\x5\0\0\x9\xfe\0\0*\0\x1\0\0\xa\x1\x17\0\0\xb\x3""def\0\0\0\x1""2\0\xc\?\0\x1\0\0\0"
		     "\x3\x81\0\0\0\0\x5\0\0\xc\xfe\0\0*\0\x2\0\0\xd\x1""2\x5\0\0\xe\xfe\0\0*\0\x7\0\0\xf\0\0"
		     "\0\"\0\0\0"),
		T(C, "\x8\0\0\0\x3selec 1"),
		T(S, "\xa4\0\0\x1\xff(\x4#42000You have an error in your SQL syntax; check the manual that cor"
		     "responds to your MariaDB server version for the right syntax to use near 'selec 1' at li"
		     "ne 1"),
		T(C, "\x13\0\0\0\x3select * from nope"),
		T(S, ")\0\0\x1\xffz\x4#42S02Table 'bench.nope' doesn't exist"),
		T(C, "\x1f\0\0\0\x3insert into t values (1,'dup')"),
		T(S, ".\0\0\x1\xff&\x4#23000Duplicate entry '1' for key 'PRIMARY'"),
		T(C, "=\0\0\0\x3load data local infile '/tmp/sqlgen/infile.txt' into table t"),
		T(S, "\x17\0\0\x1\xfb/tmp/sqlgen/infile.txt"),
		T(C, "F\0\0\x2""10\x9v10\xa""11\x9v11\xa""12\x9v12\xa""13\x9v13\xa""14\x9v14\xa""15\x9v15\xa""1"
		     "6\x9v16\xa""17\x9v17\xa""18\x9v18\xa""19\x9v19\xa\0\0\0\x3"),
		T(S, "8\0\0\x4\0\xa\0\x2\0\0\0""0Records: 10  Deleted: 0  Skipped: 0  Warnings: 0"),
		T(C, "\x1\0\0\0\xe"),
		T(S, "\x7\0\0\x1\0\0\0\x2\0\0\0"),
		T(C, "\x6\0\0\0\x2""bench"),
		T(S, "\x7\0\0\x1\0\0\0\x2\0\0\0"),
		T(C, "\x1\0\0\0\x1"),
	};

	TALK(3306, false, v, "INSERT INTO t VALUES (?) 0 ok - 3 49/50\nSELECT * FROM t WHERE id > ? 0 ok - 2 33/111\n"
			     "SELECT * FROM t WHERE id = ? 0 ok - 0 32/95\nUPDATE t SET v = ? WHERE id < ? 0 ok - 2 34/52\n"
			     "SELECT ?; INSERT INTO t VALUES (?); SELECT * FROM t 0 ok - 6 60/194\nCALL p() 0 ok - 5 13/194\n"
			     "selec ? 1064 client_error ER_PARSE_ERROR 0 12/168\n"
			     "SELECT * FROM nope 1146 client_error ER_NO_SUCH_TABLE 0 23/45\n"
			     "INSERT INTO t VALUES (?) 1062 client_error ER_DUP_ENTRY 0 35/50\n"
			     "load data local infile ? INTO TABLE t 0 ok - 10 143/87\nPING 0 ok - 0 5/11\nUSE bench 0 ok - 0 10/11\n");
}

/* mysql2 for Node.js: prepared, binary rows */
Test(mysql, prepared)
{
	static const struct turn v[] = {
		T(S, "d\0\0\0\xa""5.5.5-10.11.19-MariaDB-0+deb12u1\0\xc\0\0\0""6\\MLv1,)\0\xfe\xf7\x8\x2\0\xff"
		     "\x81\x15\0\0\0\0\0\0\x1d\0\0\0*5l@=NP)w\?tK\0mysql_native_password\0"),
		T(C, "\x89\0\0\x1\xce\xf3\xba\x8\0\0\0\0\xe0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x8\0\0\0ben"
		     "ch\0\x14\xa7&\xf7\xc5""B\x2vK\xc9\x83\x81\xa2\xe6$\xc7\xc8s\x1d\x14tbench\0mysql_native_"
		     "password\0""1\xc_client_name\xcNode-MySQL-2\xf_client_version\x6""3.24.6"),
		T(S, "\x11\0\0\x2\0\0\0\x2@\0\0\0\x8\x1\x6\x5""bench"),
		T(C, "*\0\0\0\x16select * from t where id = \? and v like \?"),
		T(S, "\xc\0\0\x1\0\x5\0\0\0\x2\0\x2\0\0\0\0\x18\0\0\x2\x3""def\0\0\0\x1\?\0\0\xc\?\0\0\0\0\0"
		     "\x6\x80\0\0\0\0\x18\0\0\x3\x3""def\0\0\0\x1\?\0\0\xc\?\0\0\0\0\0\x6\x80\0\0\0\0\x5\0\0"
		     "\x4\xfe\0\0\x2\0\"\0\0\x5\x3""def\x5""bench\x1t\x1t\x2id\x2id\0\xc\?\0\xb\0\0\0\x3\x3P\0"
		     "\0\0 \0\0\x6\x3""def\x5""bench\x1t\x1t\x1v\x1v\0\xc\xe0\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0"
		     "\0\x7\xfe\0\0\x2\0"),
		T(C, "\x1a\0\0\0\x17\x5\0\0\0\0\x1\0\0\0\0\x1\x5\0\xfd\0\0\0\0\0\0\0\0\0\x1%"),
		T(S, "\x1\0\0\x1\x2\"\0\0\x2\x3""def\x5""bench\x1t\x1t\x2id\x2id\0\xc\?\0\xb\0\0\0\x3\x3P\0\0"
		     "\0 \0\0\x3\x3""def\x5""bench\x1t\x1t\x1v\x1v\0\xc\xe0\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0\0"
		     "\x4\xfe\0\0\x2\0\x5\0\0\x5\xfe\0\0\x2\0"),
		T(C, "\x1a\0\0\0\x17\x5\0\0\0\0\x1\0\0\0\0\x1\x5\0\xfd\0\0\0\0\0\0\0\xf0\?\x1%"),
		T(S, "\x1\0\0\x1\x2\"\0\0\x2\x3""def\x5""bench\x1t\x1t\x2id\x2id\0\xc\?\0\xb\0\0\0\x3\x3P\0\0"
		     "\0 \0\0\x3\x3""def\x5""bench\x1t\x1t\x1v\x1v\0\xc\xe0\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0\0"
		     "\x4\xfe\0\0\x2\0\x8\0\0\x5\0\0\x1\0\0\0\x1z\x5\0\0\x6\xfe\0\0\x2\0"),
		T(C, "\x1a\0\0\0\x17\x5\0\0\0\0\x1\0\0\0\0\x1\x5\0\xfd\0\0\0\0\0\0\0\0@\x1%"),
		T(S, "\x1\0\0\x1\x2\"\0\0\x2\x3""def\x5""bench\x1t\x1t\x2id\x2id\0\xc\?\0\xb\0\0\0\x3\x3P\0\0"
		     "\0 \0\0\x3\x3""def\x5""bench\x1t\x1t\x1v\x1v\0\xc\xe0\0\x90\x1\0\0\xfd\0\0\0\0\0\x5\0\0"
		     "\x4\xfe\0\0\x2\0\x8\0\0\x5\0\0\x2\0\0\0\x1z\x5\0\0\x6\xfe\0\0\x2\0"),
		T(C, "\x5\0\0\0\x19\x5\0\0\0\x1c\0\0\0\x16update t set v=\? where id=\?"),
		T(S, "\xc\0\0\x1\0\x6\0\0\0\0\0\x2\0\0\0\0\x18\0\0\x2\x3""def\0\0\0\x1\?\0\0\xc\?\0\0\0\0\0\x6"
		     "\x80\0\0\0\0\x18\0\0\x3\x3""def\0\0\0\x1\?\0\0\xc\?\0\0\0\0\0\x6\x80\0\0\0\0\x5\0\0\x4"
		     "\xfe\0\0\x2\0"),
		T(C, "i\0\0\0\x17\x6\0\0\0\0\x1\0\0\0\0\x1\xfd\0\x5\0Pqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
		     "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\0\0\0\0\0\0\xf0\?"),
		T(S, "0\0\0\x1\0\x1\0\x2\0\0\0(Rows matched: 1  Changed: 1  Warnings: 0"),
		T(C, "\x9\0\0\0\x16select \?"),
		T(S, "\xc\0\0\x1\0\x7\0\0\0\x1\0\x1\0\0\0\0\x18\0\0\x2\x3""def\0\0\0\x1\?\0\0\xc\?\0\0\0\0\0"
		     "\x6\x80\0\0\0\0\x5\0\0\x3\xfe\0\0\x2\0\x18\0\0\x4\x3""def\0\0\0\x1\?\0\0\xc\?\0\0\0\0\0"
		     "\x6\x80\0\0\0\0\x5\0\0\x5\xfe\0\0\x2\0"),
		T(C, "\x16\0\0\0\x17\x7\0\0\0\0\x1\0\0\0\0\x1\x5\0\0\0\0\0\0\0\x14@"),
		T(S, "\x1\0\0\x1\x1\x18\0\0\x2\x3""def\0\0\0\x1\?\0\0\xc\?\0\x17\0\0\0\x5\x81\0\x1f\0\0\x5\0\0"
		     "\x3\xfe\0\0\x2\0\xa\0\0\x4\0\0\0\0\0\0\0\0\x14@\x5\0\0\x5\xfe\0\0\x2\0"),
		T(C, "\x13\0\0\0\x16select nope from t"),
		T(S, "*\0\0\x1\xff\x1e\x4#42S22Unknown column 'nope' in 'SELECT'"),
	};

	TALK(3306, false, v, "PREPARE SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 0 46/164\n"
			     "SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 0 30/97\n"
			     "SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 1 30/109\n"
			     "SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 1 30/109\n"
			     "PREPARE UPDATE t SET v = ? WHERE id = ? 0 ok - 0 32/81\nUPDATE t SET v = ? WHERE id = ? 0 ok - 1 109/52\n"
			     "PREPARE SELECT ? 0 ok - 0 13/90\nSELECT ? 0 ok - 1 26/65\n"
			     "PREPARE SELECT nope FROM t 1054 client_error ER_BAD_FIELD_ERROR 0 23/46\n");
}

/* the same with compression */
Test(mysql, compressed)
{
	static const struct turn v[] = {
		T(S, "d\0\0\0\xa""5.5.5-10.11.19-MariaDB-0+deb12u1\0\xd\0\0\0_PS.-7h,\0\xfe\xf7\x8\x2\0\xff"
		     "\x81\x15\0\0\0\0\0\0\x1d\0\0\0=0v'Yk2S.,.A\0mysql_native_password\0"),
		T(C, "\x89\0\0\x1\xee\xf3\xba\x8\0\0\0\0\xe0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x8\0\0\0ben"
		     "ch\0\x14\x81""8\x80m\xd3\xd0\x8b\x90\x10\xfc\xeb]\xe7\xccH\x97\x2\x19\xc6\x9""bench\0mys"
		     "ql_native_password\0""1\xc_client_name\xcNode-MySQL-2\xf_client_version\x6""3.24.6"),
		T(S, "\x11\0\0\x2\0\0\0\x2@\0\0\0\x8\x1\x6\x5""bench"),
		T(C, "\xd\0\0\0\0\0\0\x9\0\0\0\x3select 1"),
		T(S, "5\0\0\x1""9\0\0x\x9c""cd``d\x94```bNIMc\0r\xc\x19\x18x\xec\x19\x18\x81L\xe6""F \xc1\xc0"
		     "\xa""d\xfc\x3\xca\x3!\x3\xb\xa3!\x90\xcb\xa\xe6\x2\0z\xda\x4\x9c"),
		T(C, ".\0\0\0\0\0\0*\0\0\0\x16select * from t where id = \? and v like \?"),
		T(S, "i\0\0\x1\xa4\0\0x\x9c\xe3""a``d\xe0""d```\x2""B \x90\0\xb2\x98SR\xd3\x80LF{\x6\x6\x1e{"
		     "\x90 \x3[\x3T\x8e\x19\x97\x1c+\x3\x3\xcb\?\x90)J@6H\x11kRj^r\x6""c\x9""c\x9Sf\xa\x10\x81"
		     "\x94s3\x80L\x8\0\x92\xa@}\xa8\xaa\x18\xcb\x18\xcb\x18x\x1e""0L`d`\xf8\xcb\0""5\x92\x1dl$"
		     "\0M\xca\x15,"),
		T(C, "\x1e\0\0\0\0\0\0\x1a\0\0\0\x17\x9\0\0\0\0\x1\0\0\0\0\x1\x5\0\xfd\0\0\0\0\0\0\0\0\0\x1%"),
		T(S, "P\0\0\x1""a\0\0x\x9c""cd``dRb``bNIMcMJ\xcdK\xce`,a,a\xcaL\x1\"\x6\x1e{\x6n\x6\x6\x6""f"
		     "\xe6\0 \xa9\0b\xa0\xa8""b,c,c\xe0y\xc0""0\x81\x91\x81\xe1/\x3\x8\xb0""20\xb0\xfc\x3\x9a"
		     "\x6""b\xb0\x82\x19\0,j\x10S"),
		T(C, "\x1e\0\0\0\0\0\0\x1a\0\0\0\x17\x9\0\0\0\0\x1\0\0\0\0\x1\x5\0\xfd\0\0\0\0\0\0\0\xf0\?\x1%"),
		T(S, "\\\0\0\x1\xbc\0\0x\x9c""cd``dRb``bNIMcMJ\xcdK\xce`,a,a\xcaL\x1\"\x6\x1e{\x6n\x6\x6\x6""f"
		     "\xe6\0 \xa9\0b\xa0\xa8""b,c,c\xe0y\xc0""0\x81\x91\x81\xe1/\x3\x8\xb0""20\xb0\xfc\x3\x9a"
		     "\xc6\x10\xe""f\x3\xc5\x19\x2\xa\xa9\xc\x80\xe6\xb2\x81\xed\0\0\xb0n4Q"),
		T(C, "\x1e\0\0\0\0\0\0\x1a\0\0\0\x17\x9\0\0\0\0\x1\0\0\0\0\x1\x5\0\xfd\0\0\0\0\0\0\0\0@\x1%"),
		T(S, "Y\0\0\x1m\0\0x\x9c""cd``dRb``bNIMcMJ\xcdK\xce`,a,a\xcaL\x1\"\x6\x1e{\x6n\x6\x6\x6""f\xe6"
		     "\0 \xa9\0b\xa0\xa8""b,c,c\xe0y\xc0""0\x81\x91\x81\xe1/\x3\x8\xb0""20\xb0\xfc\x3\x9a\xc6"
		     "\xc0\x1""f3\x1\x85\x18\xab\x80\xc""6\xb0 \0\xe9\xcb\x10\xde"),
		T(C, "\x9\0\0\0\0\0\0\x5\0\0\0\x19\x9\0\0\0 \0\0\0\0\0\0\x1c\0\0\0\x16update t set v=\? where "
		     "id=\?"),
		T(S, "1\0\0\x1Q\0\0x\x9c\xe3""a``d\xe0""b\0\x1&\x10!\x1\xa4\x99SR\xd3\x80LF{\x6\x6\x1e{\xb0"
		     "\x14[\x3T\x8e\x19\x97\x1c+\x3\x3\xcb\?\x90\x19\0\xc8\xb4\x5\xde"),
		T(C, "!\0\0\0m\0\0x\x9c\xcb""d``\x10\xe7""b````\x4\x13\x7f\x19X\x19\x2\xa\xa9\xc\x18\xc0\xe0"
		     "\x83=\0h\x12&^"),
		T(S, "4\0\0\x1\0\0\0""0\0\0\x1\0\x1\0\x2\0\0\0(Rows matched: 1  Changed: 0  Warnings: 0"),
		T(C, "\xd\0\0\0\0\0\0\x9\0\0\0\x16select \?"),
		T(S, "8\0\0\x1Z\0\0x\x9c}\x8a\xb1\x15\0\x10\x10\xc5\xc2\xa1""a\0\xdbX\x6s\x98\xdc\xe3\x1b@\x93"
		     "\"I\x1GFt\x97T\xf0\xd6\xc7\x94iP\x9a$i\x89\x11l\xdf\xae)|\xa6\xf8\xa6\x3\xa\xd2\x6\xe9"),
		T(C, "\x1a\0\0\0\0\0\0\x16\0\0\0\x17\xb\0\0\0\0\x1\0\0\0\0\x1\x5\0\0\0\0\0\0\0\x14@"),
		T(S, ":\0\0\x1""A\0\0x\x9c""cd``d\x94```bNIMc\0r\xec\x19\x18x\xec\x19\xc4\x81L\xd6""F\x6y \xc9"
		     "\xc0\xc0\xfc\xf(\xcf\xc0\xc5\xc0\xc0\xc2\0\x5\"\xe@aV\xb0""0\0\xa2\xbe\x5\xb"),
		T(C, "1\0\0\0\0\0\0-\0\0\0\x3select repeat('x',5000), repeat('abc',10000)"),
		T(S, "\x94\0\0\x1\0@\0x\x9c\xed\xcc\xb1M\x2q\0\xc5\xe1w\x7\x17\x1a\xa\x13\x16\xb0;$\x14\x7f\xa"
		     "\xd7\xb0""a\x82\xe3""8kb4a\x4\xa6r\x16\xe7 `$F\xd9\x80\x82\xe4\xfb\xe5+_^\x95Tu\x9b\xd4"
		     "\xa3\xed\xf0\x9a\xe4\xe1m\xd8\xd\xdd\xfb\xbc\xdd\xb7\xcb\xe7R\xcaS2\xfd\xca\xe3KrN.\xbb""E"
		     "2\xfa\x9b\xce\xfe\xa7\xdd\xa6o\x97\xabr]g=\xc9\xf1w\xdd$\xe3\xef\xcby>\xfiN\x87\xd9^\x92"
		     "$I\x92$I\xd2\xcd;\x95\x8fn\xd3\x3\0\0\0\0\0\0\0\0\0\0\xf7\xe5\x7\xcb\x80\x1b""3-\0\0\x2)"
		     "I\0x\x9c\xed\xc2""A\x11\0\0\xc\x2\xa0\xacj\xff\xe\xab\xb1\x7\x1c\xe9\xa2\xaa\xaa\xaa\xaa"
		     "\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xfa\xf2\x1(\x97\x3W\x9\0\0\x3\0\0\0"
		     "\x5\0\0\x6\xfe\0\0\x2\0"),
		T(C, "\x17\0\0\0\0\0\0\x13\0\0\0\x16select nope from t"),
		T(S, ".\0\0\x1\0\0\0*\0\0\x1\xff\x1e\x4#42S22Unknown column 'nope' in 'SELECT'"),
		T(C, "\x5\0\0\0\0\0\0\x1\0\0\0\xe"),
		T(S, "\xb\0\0\x1\0\0\0\x7\0\0\x1\0\0\0\x2\0\0\0"),
	};

	TALK(3306, false, v, "SELECT ? 0 ok - 1 13/57\nPREPARE SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 0 46/164\n"
			     "SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 0 30/97\n"
			     "SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 1 30/188\n"
			     "SELECT * FROM t WHERE id = ? AND v LIKE ? 0 ok - 1 30/109\n"
			     "PREPARE UPDATE t SET v = ? WHERE id = ? 0 ok - 0 32/81\nUPDATE t SET v = ? WHERE id = ? 0 ok - 1 109/52\n"
			     "PREPARE SELECT ? 0 ok - 0 13/90\nSELECT ? 0 ok - 1 26/65\n"
			     "SELECT repeat(?, ?), repeat(?, ?) 0 ok - 1 49/35122\n"
			     "PREPARE SELECT nope FROM t 1054 client_error ER_BAD_FIELD_ERROR 0 23/46\nPING 0 ok - 0 5/11\n");
}

Test(mysql, a_login_that_is_refused)
{
	static const struct turn denied[] = {
		T(S, "d\0\0\0\xa""5.5.5-10.11.19-MariaDB-0+deb12u1\0\x8\0\0\0V)d>I4h2\0\xfe\xf7\x8\x2\0\xff"
		     "\x81\x15\0\0\0\0\0\0\x1d\0\0\0[X%M5ajqv~9=\0mysql_native_password\0"),
		T(C, "\x88\0\0\x1\x5\xa2:\0\xff\xff\xff\0-\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0bench"
		     "\0\x14\x15\x1""f\xcb\xdd\xfd\x86\x6\xbI\xd4pm\x14\x83\xb0\xb\xf}\x1fmysql_native_passwor"
		     "d\0""6\xc_client_name\x7pymysql\x4_pid\x5""16698\xf_client_version\x5""1.0.2"),
		T(S, "I\0\0\x2\xff\x15\x4#28000Access denied for user 'bench'@'localhost' (using password: YES"
		     ")"),
	};
	static const struct turn full[] = {T(S, "\x17\0\0\0\xff\x10\4Too many connections")};

	TALK(3306, false, denied, "CONNECT 1045 client_error ER_ACCESS_DENIED_ERROR 0 140/181\n");
	TALK(3306, false, full, "CONNECT 1040 server_error ER_CON_COUNT_ERROR 0 0/27\n");
	TALK(0, false, full, "CONNECT 1040 server_error ER_CON_COUNT_ERROR 0 0/27\n");
}

Test(mysql, auth_switch_then_ping)
{
	static const struct turn v[] = {
		T(S, GREETING), T(C, LOGIN_EOF), T(S, "\x2c\0\0\2\xfemysql_native_password\0abcdefghijklmnopqrst\0"),
		T(C, "\x14\0\0\3abcdefghijklmnopqrst"), T(S, "\7\0\0\4\0\0\0\2\0\0\0"), T(C, PING), T(S, OK), T(C, "\1\0\0\0\1"),
	};

	TALK(3306, false, v, "PING 0 ok - 0 5/11\n");
}

Test(mysql, ssl_is_tls)
{
	static const struct turn v[] = {
		T(S, GREETING), T(C, "\x20\0\0\1\x0d\xaa\2\0\0\0\0\1\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
		T(C, "\x16\3\1\0\5\1hello"), T(S, "\x16\3\3"),
	};
	static struct talk t;

	TALK(3306, false, v, "");
	talk_init(&t, 3306, false);
	talk_play(&t, v, 3, 0, 9, 0);
	cr_assert_eq(flow_proto(t.f), PROTO_TLS);
	talk_end(&t);
}

Test(mysql, ends_with_and_without_eof)
{
	static const struct turn with[] = {
		SESSION(LOGIN_EOF),
		T(C, SELECT1), T(S, "\1\0\0\1\1" COLUMN("\2") END("\3", "\2") ROW("\4") ROW("\5") END("\6", "\2")),
		T(C, SELECT1), T(S, "\1\0\0\1\1" COLUMN("\2") END("\3", "\2") END("\4", "\2")),
	};
	static const struct turn without[] = {
		SESSION(LOGIN_OK),
		T(C, SELECT1), T(S, "\1\0\0\1\1" COLUMN("\2") ROW("\3") ROW("\4") END_OK("\5", "\2")),
		T(C, SELECT1), T(S, "\1\0\0\1\1" COLUMN("\2") END_OK("\3", "\2")),
		/* two results, the second of them an error in the middle of its rows */
		T(C, SELECT1), T(S, "\1\0\0\1\1" COLUMN("\2") ROW("\3") END_OK("\4", "\xa") "\1\0\0\5\1" COLUMN("\6") ROW("\7")
				    "\xc\0\0\x8\xff\x25\5#70100no!"),
	};

	TALK(3306, false, with, "SELECT ? 0 ok - 2 13/62\nSELECT ? 0 ok - 0 13/50\n");
	TALK(3306, false, without, "SELECT ? 0 ok - 2 13/55\nSELECT ? 0 ok - 0 13/43\n"
				   "SELECT ? 1317 server_error ER_QUERY_INTERRUPTED 0 13/103\n");
}

Test(mysql, cursor)
{
	static const struct turn v[] = {
		SESSION(LOGIN_EOF),
		T(C, "\x9\0\0\0\x16SELECT a"), T(S, "\xc\0\0\1\0\1\0\0\0\1\0\0\0\0\0\0" COLUMN("\2") END("\3", "\2")),
		T(C, "\xa\0\0\0\x17\1\0\0\0\1\1\0\0\0"), T(S, "\1\0\0\1\1" COLUMN("\2") END("\3", "\x42")),
		T(C, "\x9\0\0\0\x1c\1\0\0\0\2\0\0\0"), T(S, "\3\0\0\1\0\0x" "\3\0\0\2\0\0y" END("\3", "\x42")),
		T(C, "\x9\0\0\0\x1c\1\0\0\0\2\0\0\0"), T(S, "\3\0\0\1\0\0z" END("\2", "\x82")),
		T(C, "\5\0\0\0\x1a\1\0\0\0"), T(S, OK), T(C, "\5\0\0\0\x19\1\0\0\0" PING), T(S, OK),
		T(C, "\xa\0\0\0\x17\1\0\0\0\0\1\0\0\0"), T(S, "\x1f\0\0\1\xff\xdb\4#HY000Unknown statement!!!!!"),
	};

	TALK(3306, false, v, "PREPARE SELECT a 0 ok - 0 13/52\nSELECT a 0 ok - 0 14/41\nFETCH SELECT a 0 ok - 2 13/23\n"
			     "FETCH SELECT a 0 ok - 1 13/16\nRESET STATEMENT 0 ok - 0 9/11\nPING 0 ok - 0 5/11\n"
			     "(prepared statement) 1243 client_error ER_UNKNOWN_STMT_HANDLER 0 14/35\n");
}

/* MariaDB's drivers do not wait for the number of a statement before they execute it. */
Test(mysql, prepared_and_executed_at_once)
{
	static const struct turn v[] = {
		SESSION(LOGIN_OK),
		T(C, "\x9\0\0\0\x16SELECT a" "\xa\0\0\0\x17\xff\xff\xff\xff\0\1\0\0\0"),
		T(S, "\xc\0\0\1\0\1\0\0\0\0\0\0\0\0\0\0" OK),
		T(C, "\x9\0\0\0\x16SELECT b" "\x9\0\0\0\x16SELECT c"),
		T(S, "\xc\0\0\1\0\2\0\0\0\0\0\0\0\0\0\0" "\xc\0\0\1\0\3\0\0\0\0\0\0\0\0\0\0"),
		T(C, "\xa\0\0\0\x17\2\0\0\0\0\1\0\0\0"), T(S, OK), T(C, "\xa\0\0\0\x17\3\0\0\0\0\1\0\0\0"), T(S, OK_ROWS("\4")),
		/* bulk */
		T(C, "\7\0\0\0\xfa\3\0\0\0\x80\0"), T(S, OK_ROWS("\x9")),
	};

	TALK(3306, false, v, "PREPARE SELECT a 0 ok - 0 13/16\nSELECT a 0 ok - 0 14/11\nPREPARE SELECT b 0 ok - 0 13/16\n"
			     "PREPARE SELECT c 0 ok - 0 13/16\nSELECT b 0 ok - 0 14/11\nSELECT c 0 ok - 4 14/11\nSELECT c 0 ok - 9 11/11\n");
}

Test(mysql, long_data_and_others)
{
	static const struct turn v[] = {
		SESSION(LOGIN_OK),
		T(C, "\x9\0\0\0\x16SELECT a"), T(S, "\xc\0\0\1\0\1\0\0\0\0\0\0\0\0\0\0"),
		T(C, "\xb\0\0\0\x18\1\0\0\0\0\0abcd" "\xa\0\0\0\x17\1\0\0\0\0\1\0\0\0"), T(S, OK_ROWS("\1")),
		T(C, "\1\0\0\0\x9"), T(S, "\x6\0\0\1Uptime"),
		T(C, "\3\0\0\0\4t\0"), T(S, COLUMN("\1") END("\2", "\2")),
		T(C, "\1\0\0\0\x1f"), T(S, OK),
		T(C, "\xa\0\0\0\x17\1\0\0\0\0\1\0\0\0"), T(S, OK),
		T(C, "\x5\0\0\0\x11me\0\0"), T(S, "\7\0\0\1\xfe""plugin"), T(C, "\4\0\0\2salt"), T(S, "\7\0\0\3\0\0\0\2\0\0\0"),
		/* MariaDB: how far it is */
		T(C, SELECT1), T(S, "\x9\0\0\1\xff\xff\xff\1\1\2\0\0\0" "\7\0\0\2\0\1\0\2\0\0\0"),
		T(C, "\xb\0\0\0\x12\4\0\0\0\0\0\1\0\0\0"), T(S, "\5\0\0\1\0abcd\5\0\0\2\0efgh"), T(C, SELECT1), T(S, OK),
	};

	TALK(3306, false, v, "PREPARE SELECT a 0 ok - 0 13/16\nSELECT a 0 ok - 1 29/11\nSTATISTICS 0 ok - 0 5/10\n"
			     "FIELD LIST 0 ok - 0 7/36\nRESET CONNECTION 0 ok - 0 5/11\n(prepared statement) 0 ok - 0 14/11\n"
			     "CHANGE USER 0 ok - 0 17/22\nSELECT ? 0 ok - 1 13/24\nBINLOG DUMP 0 ok - 0 15/0\n");
}

/* MySQL 8: one attribute, of type VAR_STRING, before the text */
Test(mysql, attributes)
{
	static const struct turn v[] = {
		SESSION(LOGIN_ATTRIBUTES),
		T(C, "\xb\0\0\0\3\0\1SELECT 1"), T(S, OK),
		T(C, "\x19\0\0\0\3\1\1\0\1\xfd\0\4""code\4""abcdSELECT 1"), T(S, OK),
	};

	TALK(3306, false, v, "SELECT ? 0 ok - 0 15/11\nSELECT ? 0 ok - 0 29/11\n");
}

/* What comes before is the end of an answer to a question that was not seen. */
Test(mysql, joined_in_the_middle)
{
	static const struct turn v[] = {
		T(S, ROW("\x5") END("\x6", "\2")),
		T(C, SELECT1), T(S, "\1\0\0\1\1" COLUMN("\2") END("\3", "\2") ROW("\4") END("\5", "\2")),
		T(C, "\xa\0\0\0\x17\1\0\0\0\0\1\0\0\0"), T(S, OK_ROWS("\3")),
		T(C, "\x9\0\0\0\x16SELECT a"), T(S, "\xc\0\0\1\0\2\0\0\0\1\0\0\0\0\0\0" COLUMN("\2") END("\3", "\2")),
		T(C, "\xa\0\0\0\x17\2\0\0\0\0\1\0\0\0"), T(S, OK_ROWS("\1")),
	};
	static struct talk t;

	for (int swapped = 0; swapped < 2; swapped++) {
		talk_init(&t, swapped ? 0 : 3306, true);
		for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
			talk_say(&t, (enum proto_dir)(v[i].dir ^ (unsigned)swapped), v[i].p, v[i].n);
		cr_assert_eq(flow_swapped(t.f), swapped);
		talk_end(&t);
		talk_expect(&t, "SELECT ? 0 ok - 1 13/56\n(prepared statement) 0 ok - 3 14/11\nPREPARE SELECT a 0 ok - 0 13/43\n"
				"SELECT a 0 ok - 1 14/11\n", swapped ? "swapped" : "as it is");
	}
}

/* Thousands of rows of which only the ends were captured. */
Test(mysql, hole_in_rows)
{
	static const char begin[] = "\1\0\0\1\1" COLUMN("\2") END("\3", "\2"), end[] = ROW("\x20") END("\x21", "\2");
	static const struct turn start[] = {SESSION(LOGIN_EOF)};
	static char big[60000];
	static struct talk t;

	for (size_t i = 0; i + 6 <= sizeof(big); i += 6)
		memcpy(big + i, ROW("\7"), 6);
	memcpy(big, begin, sizeof(begin) - 1);
	memcpy(big + sizeof(big) - sizeof(end) + 1, end, sizeof(end) - 1);
	talk_init(&t, 3306, false);
	talk_play(&t, start, 3, 0, 9, 0);
	talk_say(&t, C, SELECT1, sizeof(SELECT1) - 1);
	talk_cut(&t, S, big, sizeof(big), 100, 64);
	talk_say(&t, C, PING, sizeof(PING) - 1);
	talk_say(&t, S, OK, sizeof(OK) - 1);
	talk_end(&t);
	cr_assert_eq(strncmp(t.log, "SELECT ? 0 ok - 0 13/", 21), 0, "%s", t.log);
	cr_assert(strstr(t.log, "\nPING 0 ok - 0 5/11\n"), "%s", t.log);
	cr_assert_eq(t.pool.lost_requests, 0);
}

/* A packet of 16 MB goes on in the next. */
Test(mysql, split)
{
	static const struct turn start[] = {SESSION(LOGIN_OK)};
	static char big[0xffffff + 4];
	static struct talk t;

	memset(big, ' ', sizeof(big));
	memcpy(big, "\xff\xff\xff\0\3SELECT 'x'", 15);
	talk_init(&t, 3306, false);
	talk_play(&t, start, 3, 0, 9, 0);
	talk_say(&t, C, PING, sizeof(PING) - 1);
	talk_say(&t, S, OK, sizeof(OK) - 1);
	talk_say(&t, C, big, sizeof(big));
	talk_say(&t, C, "\3\0\0\1  )", 7);
	talk_say(&t, S, "\1\0\0\2\1" COLUMN("\3"), 32);
	memcpy(big, "\xff\xff\xff\4\xfe", 5);
	talk_say(&t, S, big, sizeof(big));
	talk_say(&t, S, "\1\0\0\5\xfe" END_OK("\6", "\2"), 16);
	talk_end(&t);
	talk_expect(&t, "PING 0 ok - 0 5/11\nSELECT ? 0 ok - 1 16777226/16777267\n", "split");
}

/* What a server can say is not believed without bound. */
Test(mysql, hostile)
{
	static const struct turn v[] = {
		SESSION(LOGIN_EOF),
		/* 2^64 - 1 columns, then nothing of the kind */
		T(C, SELECT1), T(S, "\x9\0\0\1\xfe\xff\xff\xff\xff\xff\xff\xff\xff"), T(S, "\1\0\0\2x"),
	};
	/* a frame of compression that says one length and has another */
	static const struct turn bomb[] = {
		T(S, GREETING), T(C, LOGIN("\x2d\xa2\x02\x00")), T(S, WELCOME),
		T(C, "\x10\0\0\0\xff\x7f\0\x78\x9c""aaaaaaaaaaaaaa"), T(C, PING),
	};
	static const struct turn login[] = {T(S, GREETING), T(C, "\4\0\0\1\x0d\xa2\2\0")};

	TALK(3306, false, v, "SELECT ? 0 aborted - 0 13/0\n");
	TALK(3306, false, bomb, "");
	TALK(3306, false, login, "");
}

Test(mysql, others_are_not_taken_for_it)
{
	static const char zero[64], *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "*1\r\n$4\r\nPING\r\n", "\1\0\0\0\0\0\0\0", "EHLO x\r\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (int dir = 0; dir < 2; dir++)
			cr_expect_leq(proto_by_id(PROTO_MYSQL)->infer((enum proto_dir)dir, (const uint8_t *)texts[i], strlen(texts[i])), 50);
	for (size_t n = 0; n <= sizeof(zero); n++)
		for (int dir = 0; dir < 2; dir++)
			cr_expect_leq(proto_by_id(PROTO_MYSQL)->infer((enum proto_dir)dir, (const uint8_t *)zero, n), 0);
}
