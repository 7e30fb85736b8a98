/*-------------------------------------------------------------------------
 *
 * tls_pair.c
 *	  The gateway's certificate and its private key, from their files.
 *
 * The HTTP program opens no file, and it may die at any time: so the last
 * pair that was good is kept here, and a pair is looked at before it takes
 * the place of that one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/memutils.h"

#include "worker/tls_pair.h"
#include "worker/worker_settings.h"

#define MAX_PEM_SIZE (1024 * 1024)

/* The last good pair; both NULL without TLS. */
static IntakeTlsPair current;

/* Whether the file's contents may be trusted with, or as, a secret. */
static bool
check_file(const char *path, const struct stat *status, bool is_secret)
{
	if (!S_ISREG(status->st_mode) || status->st_size > MAX_PEM_SIZE)
	{
		ereport(LOG,
				(errmsg("file \"%s\" is no PEM file", path)));
		return false;
	}
	if (is_secret &&
		((status->st_uid != geteuid() && status->st_uid != 0) ||
		 (status->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0 ||
		 (status->st_uid != 0 && (status->st_mode & S_IRGRP) != 0)))
	{
		ereport(LOG,
				(errmsg("private key file \"%s\" has group or world access",
						path),
				 errdetail("It must have permissions u=rw (0600) or less if owned by the database user, or u=rw,g=r (0640) or less if owned by root.")));
		return false;
	}
	return true;
}

/* Reads a PEM file; NULL, with a message in the log, when that fails. */
static char *
read_file(const char *path, bool is_secret)
{
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	struct stat status;
	char	   *text = NULL;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	else if (check_file(path, &status, is_secret))
	{
		/* No copy in a buffer of the library's. */
		(void) setvbuf(file, NULL, _IONBF, 0);
		text = MemoryContextAllocZero(TopMemoryContext, status.st_size + 1);
		if (fread(text, 1, status.st_size, file) != (size_t) status.st_size)
		{
			ereport(LOG,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", path)));
			pfree(text);
			text = NULL;
		}
	}
	if (file != NULL)
		FreeFile(file);
	return text;
}

static void
free_pair(IntakeTlsPair *pair)
{
	if (pair->key != NULL)
	{
		explicit_bzero(pair->key, strlen(pair->key));
		pfree(pair->key);
	}
	if (pair->certificate != NULL)
		pfree(pair->certificate);
	pair->certificate = pair->key = NULL;
}

/* A key with a passphrase is refused: there is nobody to ask. */
static int
refuse_passphrase(char *buffer, int size, int is_writing, void *argument)
{
	return -1;
}

/* Does the key belong to the certificate?  A message in the log if not. */
static bool
check_pair(const IntakeTlsPair *pair)
{
	BIO		   *certificate_text = BIO_new_mem_buf(pair->certificate, -1);
	BIO		   *key_text = BIO_new_mem_buf(pair->key, -1);
	X509	   *certificate = PEM_read_bio_X509_AUX(certificate_text, NULL,
													refuse_passphrase, NULL);
	EVP_PKEY   *key = PEM_read_bio_PrivateKey(key_text, NULL,
											  refuse_passphrase, NULL);
	bool		is_good = certificate != NULL && key != NULL &&
		X509_check_private_key(certificate, key) == 1;

	EVP_PKEY_free(key);
	X509_free(certificate);
	BIO_free(key_text);
	BIO_free(certificate_text);
	ERR_clear_error();
	if (is_good)
		return true;
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("could not load the certificate and its key"),
			 certificate == NULL ?
			 errdetail("There is no certificate in file \"%s\".",
					   intake_tls_certificate_file) :
			 key == NULL ?
			 errdetail("There is no key without a passphrase in file \"%s\".",
					   intake_tls_key_file) :
			 errdetail("The key in file \"%s\" is not the certificate's.",
					   intake_tls_key_file)));
	return false;
}

const IntakeTlsPair *
intake_tls_pair_read(void)
{
	IntakeTlsPair pair = {NULL, NULL};

	if (intake_tls_certificate_file[0] != '\0')
	{
		if (intake_tls_key_file[0] == '\0')
			ereport(LOG,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("pg_intake.tls_key_file is not set")));
		pair.certificate = read_file(intake_tls_certificate_file, false);
		if (intake_tls_key_file[0] != '\0')
			pair.key = read_file(intake_tls_key_file, true);
		if (pair.certificate == NULL || pair.key == NULL ||
			!check_pair(&pair))
		{
			free_pair(&pair);
			return current.key != NULL ? &current : NULL;
		}
	}
	free_pair(&current);
	current = pair;
	return current.key != NULL ? &current : NULL;
}
