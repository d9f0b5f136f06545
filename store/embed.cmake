# cmake -DIN=file.sql -DOUT=file.c -DNAME=symbol -P embed.cmake: the file's text as `const char symbol[]`.
file(READ "${IN}" text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
file(WRITE "${OUT}" "extern const char ${NAME}[];\nconst char ${NAME}[] =\n\t\"${text}\";\n")
