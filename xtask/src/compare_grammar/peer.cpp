// Says of texts whether they are of a grammar: llama.cpp's side of `cargo xtask compare-grammar`, which compiles this
// against its library and describes the lines that are read and the letters that are written.
//
// Each grammar is judged in a process of its own. One that is killed for its time, memory or stack costs a letter,
// and the next process goes on behind it.

#include "llama-grammar.h"

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const rlim_t SECONDS_A_STEP = 2;
static const rlim_t MEMORY_BYTES = rlim_t(1536) << 20;

static std::string unhex(const std::string & digits) {
    std::string bytes;
    for (size_t i = 0; i + 1 < digits.size(); i += 2) {
        bytes.push_back(char(std::stoi(digits.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

// What is read is UTF-8, as Rust's strings are.
static std::vector<uint32_t> characters(const std::string & text) {
    std::vector<uint32_t> result;
    for (unsigned char byte : text) {
        if (byte >= 0xf0) {
            result.push_back(byte & 7);
        } else if (byte >= 0xe0) {
            result.push_back(byte & 15);
        } else if (byte >= 0xc0) {
            result.push_back(byte & 31);
        } else if (byte >= 0x80) {
            result.back() = result.back() << 6 | (byte & 63);
        } else {
            result.push_back(byte);
        }
    }
    return result;
}

// From now on: what was used is rounded up, so a step has its time in full, and up to a second more.
static void allow_a_step() {
    rusage used;
    getrusage(RUSAGE_SELF, &used);
    rlim_t seconds = rlim_t(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 2 + SECONDS_A_STEP;
    rlimit limit = { seconds, RLIM_INFINITY };
    setrlimit(RLIMIT_CPU, &limit);
}

static char judge(const llama_grammar & grammar, const std::string & text) {
    llama_grammar * copy = llama_grammar_clone_impl(grammar);
    const llama_grammar_stacks & stacks = llama_grammar_get_stacks(copy);
    char letter = 'p';
    for (uint32_t character : characters(text)) {
        llama_grammar_accept(copy, character);
        if (stacks.empty()) {
            letter = 'n';
            break;
        }
    }
    for (const llama_grammar_stack & stack : stacks) {
        if (stack.empty()) {
            letter = 'y';
        }
    }
    llama_grammar_free_impl(copy);
    return letter;
}

// The process that judges: fields[0] is the grammar; the first letters are there already.
static void judge_rest(const std::vector<std::string> & fields, size_t n_there, int out) {
    auto put = [out](char letter) {
        if (write(out, &letter, 1) != 1) {
            _exit(1);
        }
    };
    dup2(open("/dev/null", O_WRONLY), 2);
    rlimit memory = { MEMORY_BYTES, MEMORY_BYTES };
    setrlimit(RLIMIT_AS, &memory);
    try {
        allow_a_step();
        llama_grammar * grammar =
            llama_grammar_init_impl(nullptr, fields[0].c_str(), "root", false, nullptr, 0, nullptr, 0);
        if (n_there == 0) {
            put(grammar ? 'G' : 'R');
            n_there = 1;
        }
        for (size_t i = n_there; grammar && i < fields.size(); i++) {
            allow_a_step();
            put(judge(*grammar, fields[i]));
        }
        _exit(0);
    } catch (const std::bad_alloc &) {
        put('M');
        _exit(0);
    }
}

static char letter_of_death(int status) {
    switch (WIFSIGNALED(status) ? WTERMSIG(status) : 0) {
        case SIGXCPU: return 'T';
        case SIGSEGV: return 'S';
        default:      return 'A';
    }
}

static std::string judge_all(const std::vector<std::string> & fields) {
    std::string letters;
    while (letters.size() < fields.size()) {
        int ends[2];
        if (pipe(ends) != 0) {
            perror("pipe");
            exit(1);
        }
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            exit(1);
        }
        if (child == 0) {
            close(ends[0]);
            judge_rest(fields, letters.size(), ends[1]);
        }
        close(ends[1]);
        char letter;
        while (read(ends[0], &letter, 1) == 1) {
            letters.push_back(letter);
        }
        close(ends[0]);
        int status;
        waitpid(child, &status, 0);
        if (status != 0) {
            letters.push_back(letter_of_death(status));
        }
        if (letters[0] != 'G') {
            break;
        }
    }
    return letters;
}

int main() {
    std::string line;
    while (std::getline(std::cin, line)) {
        std::vector<std::string> fields;
        // The comma at the end keeps an empty text that is the last one.
        std::istringstream rest(line + ',');
        for (std::string field; std::getline(rest, field, ',');) {
            fields.push_back(unhex(field));
        }
        puts(judge_all(fields).c_str());
        fflush(stdout);
    }
}
